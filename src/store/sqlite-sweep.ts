/**
 * Mark and sweep, while readers and writers go on.
 *
 * Marks are one bit an object id. A sweep removes what is at or below the largest id at the
 * start of the marking, is not marked, and nobody has relied on lately. Kept are
 *
 *   1. marked objects;
 *   2. objects newer than the start (their ids are larger, and ids are never used twice);
 *   3. objects written or touched at or after `keepSince`;
 *   4. objects touched since the marking began, whatever the clock says: `touched.round`
 *      is then this gc's round or a later one;
 *   5. the base of every kept delta, which may itself be unreachable.
 *
 * The sweep goes over the deltas first, and marks the bases of those it keeps, then over the
 * whole chunks: so no delta is ever without its base. Whoever stores a new delta touches its
 * base in the same transaction, and every step of the sweep looks at `touched` again; so a
 * delta that appears behind the sweep's back has its base by 4.
 *
 * A dead base is kept whole instead of giving its deltas another one: it costs no more than
 * one keyframe for all of them, which at least one of them would have to become.
 *
 * Each transaction looks at a bounded number of rows; between two the event loop and other
 * writers get their turn.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Hash } from '../hash.ts';
import type { Marker, SweepOptions, SweepResult } from './maintenance.ts';
import { readCounters } from './sqlite-counters.ts';
import type { SqliteFile } from './sqlite-file.ts';
import type { ObjectReader } from './sqlite-reader.ts';

/** Rows looked at in one transaction. */
const STEP = 1024;

interface SweepRow {
  readonly id: number;
  readonly base: number | null;
  readonly written: number;
  readonly size: number;
  readonly time: number | null;
  readonly round: number | null;
}

const SELECT_STEP = `
  SELECT o.id, o.base, o.written, length(o.data) AS size, t.time, t.round
  FROM objects o LEFT JOIN touched t ON t.id = o.id
  WHERE o.id > ? ORDER BY o.id LIMIT ${STEP}`;

interface SweepStep {
  readonly doomed: readonly SweepRow[];
  /** The last id looked at; undefined when there are no more. */
  readonly last: number | undefined;
}

/** A set of ids that grows as needed. */
class IdBits {
  private bits = new Uint8Array(1024);

  has(id: number): boolean {
    return ((this.bits[id >>> 3] ?? 0) & (1 << (id & 7))) !== 0;
  }

  add(id: number): void {
    if (id >>> 3 >= this.bits.length) this.grow((id >>> 3) + 1);
    this.bits[id >>> 3] |= 1 << (id & 7);
  }

  private grow(needed: number): void {
    const bits = new Uint8Array(Math.max(needed, this.bits.length * 2));
    bits.set(this.bits);
    this.bits = bits;
  }
}

export class SqliteMarker implements Marker {
  private readonly file: SqliteFile;
  private readonly reader: ObjectReader;
  private readonly marked = new IdBits();
  private readonly round: number;
  private readonly top: number;

  /** Use `startMarking`. */
  constructor(file: SqliteFile, reader: ObjectReader, round: number, top: number) {
    this.file = file;
    this.reader = reader;
    this.round = round;
    this.top = top;
  }

  mark(hashes: readonly Hash[]): Promise<boolean[]> {
    return this.file.read(() => hashes.map((hash) => this.markOne(hash)));
  }

  sweep(options: SweepOptions): Promise<SweepResult> {
    return this.file.during(this.sweepAll(options));
  }

  private async sweepAll(options: SweepOptions): Promise<SweepResult> {
    const deltas = await this.sweepThose((row) => row.base !== null, options);
    const wholes = await this.sweepThose((row) => row.base === null, options);
    return {
      objects: deltas.objects + wholes.objects,
      storedBytes: deltas.storedBytes + wholes.storedBytes,
    };
  }

  private async sweepThose(
    selected: (row: SweepRow) => boolean,
    { keepSince, dryRun }: SweepOptions,
  ): Promise<SweepResult> {
    let objects = 0;
    let storedBytes = 0;
    for (let after: number | undefined = 0; after !== undefined; await nextTurn()) {
      const from: number = after;
      const look = () => this.step(from, selected, keepSince);
      const step: SweepStep = dryRun
        ? await this.file.read(look)
        : await this.file.write('stored', () => this.remove(look(), from, keepSince));
      objects += step.doomed.length;
      storedBytes += step.doomed.reduce((sum, { size }) => sum + size, 0);
      after = step.last;
    }
    return { objects, storedBytes };
  }

  private markOne(hash: Hash): boolean {
    const id = this.reader.findId(hash);
    if (id === undefined || this.marked.has(id)) return false;
    this.marked.add(id);
    return true;
  }

  /** Cases 1 to 4; case 5 is a mark by the time it matters. */
  private isKept({ id, written, time, round }: SweepRow, keepSince: number): boolean {
    if (id > this.top || this.marked.has(id)) return true;
    if (Math.max(written, time ?? 0) >= keepSince) return true;
    return round !== null && round >= this.round;
  }

  /** Looks at the next rows, marks the bases of kept deltas, and says what may go. */
  private step(after: number, selected: (row: SweepRow) => boolean, keepSince: number): SweepStep {
    const rows = this.file.sql<SweepRow>(SELECT_STEP).all(after);
    const doomed: SweepRow[] = [];
    for (const row of rows) {
      if (!selected(row)) continue;
      if (!this.isKept(row, keepSince)) doomed.push(row);
      else if (row.base !== null) this.marked.add(row.base);
    }
    return { doomed, last: rows.at(-1)?.id };
  }

  private remove(step: SweepStep, after: number, keepSince: number): SweepStep {
    for (const { id } of step.doomed) this.file.sql('DELETE FROM objects WHERE id = ?').run(id);
    this.file
      .sql('DELETE FROM touched WHERE id > ? AND id <= ? AND round < ? AND time < ?')
      .run(after, step.last ?? after, this.round, keepSince);
    return step;
  }
}

/** Begins a gc round: from now on whatever is relied on is noted. */
export function startMarking(file: SqliteFile, reader: ObjectReader): Promise<SqliteMarker> {
  return file.write('stored', () => {
    file.sql('UPDATE counters SET gc_round = gc_round + 1, gc_top = next_id - 1').run();
    const { gc_round, gc_top } = readCounters(file);
    return new SqliteMarker(file, reader, gc_round, gc_top);
  });
}

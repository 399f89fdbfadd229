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
 *   5. the base of every kept delta, which may itself be unreachable;
 *   6. chunks of a transfer that is not complete, while somebody adds to it: until then nothing
 *      refers to them. One that nobody added to since `transfersSince` was given up.
 *
 * The sweep goes over the deltas against deltas first, then over those against whole chunks,
 * then over these, and marks the bases of what it keeps: so no delta is ever without its base.
 * Whoever stores a new delta touches its base in the same transaction, and every step of the
 * sweep looks at `touched` again; so a delta that appears behind the sweep's back has its base
 * by 4. A transfer that is completed meanwhile has its chunks touched.
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
import { MOST_DELTAS } from './sqlite-schema.ts';
import type { Transfers } from './sqlite-transfers.ts';
import { letOthersWrite } from './sqlite-wait.ts';

const DAY = 86_400_000;
/** Rows looked at in one transaction. */
const STEP = 512;

interface SweepRow {
  readonly id: number;
  readonly base: number | null;
  readonly written: number;
  readonly size: number;
  readonly time: number | null;
  readonly round: number | null;
  /** How many deltas it takes to make it. */
  readonly deltas: number;
  /** When somebody last added to a transfer that it belongs to. */
  readonly transferred: number | null;
}

const SELECT_STEP = `
  SELECT o.id, o.base, o.written, length(o.data) AS size, t.time, t.round,
    (o.base IS NOT NULL) + (b.base IS NOT NULL) AS deltas,
    (SELECT max(added) FROM incoming i JOIN transfers f ON f.id = i.transfer WHERE i.id = o.id)
      AS transferred
  FROM objects o LEFT JOIN touched t ON t.id = o.id LEFT JOIN objects b ON b.id = o.base
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

export interface SweptParts {
  readonly file: SqliteFile;
  readonly reader: ObjectReader;
  readonly transfers: Transfers;
}

export class SqliteMarker implements Marker {
  private readonly file: SqliteFile;
  private readonly reader: ObjectReader;
  private readonly transfers: Transfers;
  private readonly marked = new IdBits();
  private readonly round: number;
  private readonly top: number;

  /** Use `startMarking`. */
  constructor({ file, reader, transfers }: SweptParts, round: number, top: number) {
    this.file = file;
    this.reader = reader;
    this.transfers = transfers;
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
    let objects = 0;
    let storedBytes = 0;
    for (let deltas = MOST_DELTAS; deltas >= 0; deltas--) {
      const swept = await this.sweepThose(deltas, options);
      objects += swept.objects;
      storedBytes += swept.storedBytes;
    }
    return { objects, storedBytes };
  }

  private async sweepThose(deltas: number, options: SweepOptions): Promise<SweepResult> {
    let objects = 0;
    let storedBytes = 0;
    for (let after: number | undefined = 0; after !== undefined; ) {
      const from: number = after;
      const look = () => this.step(from, deltas, options);
      const step: SweepStep = options.dryRun
        ? await this.file.read(look)
        : await this.file.write('stored', () => this.remove(look(), from, options.keepSince));
      objects += step.doomed.length;
      storedBytes += step.doomed.reduce((sum, { size }) => sum + size, 0);
      after = step.last;
      await (step.doomed.length > 0 && !options.dryRun ? letOthersWrite() : nextTurn());
    }
    return { objects, storedBytes };
  }

  private markOne(hash: Hash): boolean {
    const id = this.reader.findId(hash);
    if (id === undefined || this.marked.has(id)) return false;
    this.marked.add(id);
    return true;
  }

  /** All but case 5, which is a mark by the time it matters. */
  private isKept(row: SweepRow, { keepSince, transfersSince }: SweepOptions): boolean {
    const { id, written, time, round, transferred } = row;
    if (id > this.top || this.marked.has(id)) return true;
    if (Math.max(written, time ?? 0) >= keepSince) return true;
    if (transferred !== null && transferred >= (transfersSince ?? keepSince - DAY)) return true;
    return round !== null && round >= this.round;
  }

  /** Looks at the next rows, marks the bases of kept deltas, and says what may go. */
  private step(after: number, deltas: number, options: SweepOptions): SweepStep {
    const rows = this.file.sql<SweepRow>(SELECT_STEP).all(after);
    const doomed: SweepRow[] = [];
    for (const row of rows) {
      if (row.deltas !== deltas) continue;
      if (!this.isKept(row, options)) doomed.push(row);
      else if (row.base !== null) this.marked.add(row.base);
    }
    return { doomed, last: rows.at(-1)?.id };
  }

  private remove(step: SweepStep, after: number, keepSince: number): SweepStep {
    const ids = step.doomed.map(({ id }) => id);
    for (const id of ids) this.file.sql('DELETE FROM objects WHERE id = ?').run(id);
    this.reader.forget();
    this.transfers.settle(ids);
    this.file
      .sql('DELETE FROM touched WHERE id > ? AND id <= ? AND round < ? AND time < ?')
      .run(after, step.last ?? after, this.round, keepSince);
    return step;
  }
}

/** Begins a gc round: from now on whatever is relied on is noted. */
export function startMarking(parts: SweptParts): Promise<SqliteMarker> {
  const { file } = parts;
  return file.write('stored', () => {
    file.sql('UPDATE counters SET gc_round = gc_round + 1, gc_top = next_id - 1').run();
    const { gc_round, gc_top } = readCounters(file);
    return new SqliteMarker(parts, gc_round, gc_top);
  });
}

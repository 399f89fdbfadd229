/**
 * Which column to take as the key when none is given: one that looks like a key, unless a
 * sample shows that it is not unique. Whether it really is shows when all rows are in.
 */
import type { RowBatch } from './row-batch.ts';

/**
 * Columns to try, best first: id, <table>_id, key, uuid, code, else the first column.
 * Case does not matter. The table's folder and extensions do not count, and a plural `s` may
 * be missing: `data/cities.csv` has `cities_id` and `city_id`, `users` has `user_id`.
 */
export function keyCandidates(tableName: string, columnNames: readonly string[]): number[] {
  const names = columnNames.map((name) => name.toLowerCase());
  const wanted = ['id', ...tableIds(tableName), 'key', 'uuid', 'code'];
  const found = wanted.map((name) => names.indexOf(name)).filter((column) => column >= 0);
  if (columnNames.length > 0) found.push(0);
  return [...new Set(found)];
}

function tableIds(tableName: string): string[] {
  const file = tableName.slice(tableName.lastIndexOf('/') + 1).toLowerCase();
  const dot = file.indexOf('.', 1);
  const base = dot < 0 ? file : file.slice(0, dot);
  const singular = base.endsWith('ies') ? `${base.slice(0, -3)}y` : base.replace(/s$/, '');
  return [...new Set([base, singular])].map((name) => `${name}_id`);
}

/** Why a column cannot be the key: the line of a null, or of a value seen before. */
export interface KeyObjection {
  /** From 0. */
  readonly column: number;
  readonly line: number;
  readonly kind: 'null' | 'duplicate';
}

/** Rows looked at before the sample is large enough. */
const SAMPLE_ROWS = 20_000;
/** Longest part of a cell that is kept; longer cells are taken to be different. */
const SAMPLE_BYTES = 256;

/** Watches candidate columns over the first rows for nulls and values that come twice. */
export class UniqueSample {
  readonly objections: KeyObjection[] = [];
  readonly #seen: Map<number, Set<string>>;
  #rows = 0;

  constructor(candidates: readonly number[]) {
    this.#seen = new Map(candidates.map((column) => [column, new Set<string>()]));
  }

  /** True when more rows would not be looked at. */
  get full(): boolean {
    return this.#rows >= SAMPLE_ROWS || this.#seen.size === 0;
  }

  observe(batch: RowBatch): void {
    const rows = Math.min(batch.rows, SAMPLE_ROWS - this.#rows);
    for (const [column, seen] of this.#seen) {
      for (let row = 0; row < rows; row++) {
        const kind = objectionTo(batch, column, row, seen);
        if (kind === undefined) continue;
        this.objections.push({ column, line: batch.lines[row], kind });
        this.#seen.delete(column);
        break;
      }
    }
    this.#rows += rows;
  }

  /** The candidates that may still be the key, best first. */
  survivors(): number[] {
    return [...this.#seen.keys()];
  }
}

function objectionTo(
  batch: RowBatch,
  column: number,
  row: number,
  seen: Set<string>,
): KeyObjection['kind'] | undefined {
  const at = 2 * (row * batch.columns + column);
  const start = column < batch.columns ? batch.cells[at] : -1;
  if (start < 0) return 'null';
  const size = batch.cells[at + 1] - start;
  if (size > SAMPLE_BYTES) return undefined;
  const text = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset + start, size).toString(
    'latin1',
  );
  if (seen.has(text)) return 'duplicate';
  seen.add(text);
  return undefined;
}

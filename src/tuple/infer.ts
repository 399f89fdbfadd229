/**
 * The type of each column from its cells, on bytes: a column's type is the narrowest that
 * accepts every one of its cells (cell-type.ts), so it does not depend on their order. A
 * column that has become text costs nothing more.
 *
 * A remembered type only widens, and where it does the cell that made it is kept. A given
 * (fixed) type never changes; its first misfit is kept. As inference takes only objects and
 * arrays for json, a column of `1` and `true` is text; remembered or given json takes any JSON.
 */
import {
  CELL_TESTS,
  type CellTest,
  joinTypes,
  misfitReason,
  narrowestType,
  TYPE_NOUNS,
} from './cell-type.ts';
import { isJsonContainer } from './json-scan.ts';
import type { RowBatch } from './row-batch.ts';
import type { ColumnType } from './schema.ts';

/** What is known of a column beforehand. */
export interface ColumnStart {
  readonly initial?: ColumnType | undefined;
  /** The type was given and holds whatever the cells are. */
  readonly fixed?: boolean;
}

export interface ColumnInference {
  readonly type: ColumnType;
  /** Why, as a sentence without a full stop. */
  readonly reason: string;
  /** The cell that decided, or the first one. */
  readonly sample?: string;
}

/** A remembered type that gave way, and the cell that did not fit it. */
export interface Widening {
  /** From 0. */
  readonly column: number;
  readonly from: ColumnType;
  readonly to: ColumnType;
  readonly line: number;
  readonly value: string;
}

/** The first cell that does not fit the type its column was given. */
export interface Misfit {
  /** From 0. */
  readonly column: number;
  readonly type: ColumnType;
  readonly line: number;
  readonly value: string;
}

export class TypeInference {
  readonly #start: (column: number) => ColumnStart;
  readonly #columns: ColumnTypes[] = [];

  /** `start` is asked once for each column, when it is first seen. */
  constructor(start: (column: number) => ColumnStart = () => ({})) {
    this.#start = start;
  }

  observe(batch: RowBatch): void {
    this.#open(batch.columns);
    for (let column = 0; column < batch.columns; column++) {
      this.#columns[column].observe(batch, column);
    }
  }

  #open(columns: number): void {
    for (let i = this.#columns.length; i < columns; i++) {
      this.#columns.push(new ColumnTypes(this.#start(i)));
    }
  }

  /** What is known so far, of `columns` columns at least. */
  result(columns = 0): ColumnInference[] {
    this.#open(columns);
    return this.#columns.map((column) => column.result());
  }

  /** The types alone, of `columns` columns at least. */
  types(columns = 0): ColumnType[] {
    this.#open(columns);
    return this.#columns.map(({ type }) => type ?? 'text');
  }

  widenings(): Widening[] {
    return this.#columns.flatMap((state, column): Widening[] => {
      const { initial, type, decided, fixed } = state;
      if (fixed || initial === undefined || type === undefined || !decided) return [];
      return [{ column, from: initial, to: type, line: decided.line, value: decided.value }];
    });
  }

  misfits(): Misfit[] {
    return this.#columns.flatMap(({ fixed, initial, decided }, column): Misfit[] =>
      fixed && initial !== undefined && decided ? [{ column, type: initial, ...decided }] : [],
    );
  }
}

interface Place {
  readonly line: number;
  readonly value: string;
}

/** How much of a cell is kept to show. */
const MAX_VALUE_BYTES = 4096;

class ColumnTypes {
  readonly initial: ColumnType | undefined;
  readonly fixed: boolean;
  /** undefined: no value yet. */
  type: ColumnType | undefined;
  /** The cell that last widened the type, or was the first misfit of a fixed one. */
  decided: Place | undefined;
  #test: CellTest | undefined;
  #values = 0;
  #first: string | undefined;
  /** What the type was before the last widening. */
  #before: ColumnType | undefined;

  constructor({ initial, fixed }: ColumnStart) {
    this.initial = initial;
    this.fixed = fixed === true && initial !== undefined;
    this.#become(initial);
  }

  #become(type: ColumnType | undefined): void {
    this.type = type;
    this.#test = type === undefined || type === 'text' ? undefined : this.#testOf(type);
  }

  #testOf(type: ColumnType): CellTest {
    return type === 'json' && this.initial !== 'json' ? isJsonContainer : CELL_TESTS[type];
  }

  observe(batch: RowBatch, column: number): void {
    let row = 0;
    if (this.type === undefined) {
      row = this.#observeFirst(batch, column);
      if (this.type === undefined) return;
    }
    while (this.#test !== undefined) {
      row = this.#findMisfit(this.#test, batch, column, row);
      if (row === batch.rows) return;
      this.#widen(batch, column, row);
    }
  }

  /** Takes the type of the first value; answers with its row. */
  #observeFirst(batch: RowBatch, column: number): number {
    for (let row = 0; row < batch.rows; row++) {
      const at = 2 * (row * batch.columns + column);
      const start = batch.cells[at];
      if (start < 0) continue;
      this.#become(narrowestType(batch.bytes, start, batch.cells[at + 1]));
      const place = placeOf(batch, column, row);
      this.#first = place.value;
      if (this.type === 'text') this.decided = place;
      return row;
    }
    return batch.rows;
  }

  /** The first row from `from` on whose cell the test refuses, or `batch.rows`. */
  #findMisfit(test: CellTest, batch: RowBatch, column: number, from: number): number {
    const { bytes, cells, columns, rows } = batch;
    let values = 0;
    let row = from;
    for (let at = 2 * (from * columns + column); row < rows; row++, at += 2 * columns) {
      const start = cells[at];
      if (start < 0) continue;
      if (!test(bytes, start, cells[at + 1])) break;
      values += 1;
    }
    this.#values += values;
    return row;
  }

  #widen(batch: RowBatch, column: number, row: number): void {
    const at = 2 * (row * batch.columns + column);
    const cell = narrowestType(batch.bytes, batch.cells[at], batch.cells[at + 1]);
    this.decided = placeOf(batch, column, row);
    if (this.fixed) {
      this.#test = undefined;
      return;
    }
    this.#before = this.type;
    this.#become(joinTypes(this.type!, cell));
  }

  result(): ColumnInference {
    const { type, decided } = this;
    if (type === undefined) return { type: 'text', reason: 'no values' };
    const sample = decided?.value ?? this.#first;
    return { type, reason: this.#reason(type), ...(sample === undefined ? {} : { sample }) };
  }

  #reason(type: ColumnType): string {
    const { decided } = this;
    const values = `${this.#values.toLocaleString('en-US')} value${this.#values === 1 ? '' : 's'}`;
    if (this.fixed) return decided ? `given, but ${misfitAt(type, decided)}` : 'given';
    if (type === 'text' && decided) {
      return this.#before === undefined
        ? `line ${decided.line}: ${quote(decided.value)} is plain text`
        : misfitAt(this.#before, decided);
    }
    if (type === this.initial) return 'remembered';
    return `${values}, all ${TYPE_NOUNS[type][1]}`;
  }
}

function placeOf(batch: RowBatch, column: number, row: number): Place {
  const at = 2 * (row * batch.columns + column);
  const start = batch.cells[at];
  const size = Math.min(batch.cells[at + 1] - start, MAX_VALUE_BYTES);
  const cell = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset + start, size);
  return { line: batch.lines[row], value: cell.toString() };
}

function misfitAt(type: ColumnType, { line, value }: Place): string {
  return `line ${line}: ${quote(value)} ${misfitReason(type, value)}`;
}

/** At most 40 characters of a cell. */
function quote(value: string): string {
  const characters = [...value.slice(0, 82)];
  return characters.length > 40 ? `'${characters.slice(0, 40).join('')}...'` : `'${value}'`;
}

/**
 * Which storage each column of a new Parquet file gets: the one the file had before, else the
 * natural one of the column's type, if it holds the exact text of every cell; else text, and
 * then the type is noted in the file.
 *
 *   integer    INT64                        date       DATE
 *   decimal    DECIMAL, where all cells     timestamp  TIMESTAMP of microseconds or nanoseconds,
 *              have the same scale                     all with Z or all without
 *   float      DOUBLE                       json       JSON (text)
 *   boolean    BOOLEAN                      bytes      BYTE_ARRAY;  text  STRING
 */
import { DvError } from '../errors.ts';
import type { Column, ColumnType } from '../tuple/schema.ts';
import type { ParquetColumn, ParquetLayout } from './contract.ts';
import { columnTypeOf, type LeafKind } from './parquet-kinds.ts';
import { nestedStorage } from './parquet-nested-values.ts';
import {
  type ColumnStorage,
  MAX_PRECISION,
  type Storage,
  storageOf,
  TEXT,
} from './parquet-storage.ts';

const NUMERIC: readonly (ColumnType | undefined)[] = ['integer', 'decimal', 'float'];

export class ColumnChooser {
  readonly column: Column;
  /** Candidates that hold every text noted so far, best first; text holds them all. */
  #candidates: Candidate[];
  #chosen: ColumnStorage | undefined;

  constructor(column: Column, layout: ParquetLayout | undefined) {
    this.column = column;
    const before = layout?.columns.find(({ name }) => name === column.name);
    this.#candidates = [...remembered(before, column.type), ...naturalFor(column.type)];
  }

  note(text: string): void {
    if (this.#candidates.length === 0) return;
    this.#candidates = this.#candidates.filter((candidate) => candidate.holds(text));
  }

  /** `surveyed`: every cell has been noted, so what they need is enough. */
  choose(surveyed: boolean): ColumnStorage {
    this.#chosen ??= this.#candidates[0]?.storage(surveyed) ?? leafStorage(TEXT);
    return this.#chosen;
  }

  /** The cells were to have a type that the storage does not show. */
  get isTypeHidden(): boolean {
    return this.column.type !== 'text' && this.#candidates.length === 0;
  }

  value(text: string): unknown {
    const value = this.choose(false).parse(text);
    if (value !== undefined) return value;
    const { name, type } = this.column;
    throw new DvError(
      'type-mismatch',
      `"${text.slice(0, 80)}" in column "${name}" cannot be stored like the cells before it`,
      { hint: `give the column another type, text for one`, data: { column: name, type } },
    );
  }
}

interface Candidate {
  holds(text: string): boolean;
  storage(surveyed: boolean): ColumnStorage;
}

function fixed(storage: ColumnStorage): Candidate {
  return { holds: (text) => storage.parse(text) !== undefined, storage: () => storage };
}

function leafStorage(storage: Storage): ColumnStorage {
  const { element, ...rest } = storage;
  return { ...rest, elements: (name) => [{ ...element, name, repetition_type: 'OPTIONAL' }] };
}

function remembered(before: ParquetColumn | undefined, type: ColumnType): Candidate[] {
  if (before === undefined) return [];
  if (before.kind === 'nested') {
    const storage = type === 'json' ? nestedStorage(String(before.schema)) : undefined;
    return storage === undefined ? [] : [fixed(storage)];
  }
  const kind = before as unknown as LeafKind;
  const own = columnTypeOf(kind);
  if (own !== type && !(NUMERIC.includes(own) && NUMERIC.includes(type))) return [];
  const storage = storageOf(kind);
  return storage === TEXT ? [] : [fixed(leafStorage(storage))];
}

function naturalFor(type: ColumnType): Candidate[] {
  if (type === 'decimal') return [new DecimalCandidate()];
  const kinds: readonly LeafKind[] = NATURAL[type];
  return kinds.map((kind) => fixed(leafStorage(storageOf(kind))));
}

const NATURAL: Readonly<Record<Exclude<ColumnType, 'decimal'>, readonly LeafKind[]>> = {
  text: [],
  integer: [{ kind: 'integer', bits: 64, signed: true }],
  float: [{ kind: 'float', bits: 64 }],
  boolean: [{ kind: 'boolean' }],
  date: [{ kind: 'date' }],
  timestamp: [true, false].flatMap((utc): LeafKind[] => [
    { kind: 'timestamp', unit: 'MICROS', utc },
    { kind: 'timestamp', unit: 'NANOS', utc },
  ]),
  json: [{ kind: 'json' }],
  bytes: [{ kind: 'bytes' }],
};

/** Takes the scale of the first cell and, where all are known, the precision they need. */
class DecimalCandidate implements Candidate {
  #scale = -1;
  #storage: Storage | undefined;
  #digits = 1;

  holds(text: string): boolean {
    if (this.#storage === undefined) {
      this.#scale = text.includes('.') ? text.length - text.indexOf('.') - 1 : 0;
      this.#storage = storageOf({ kind: 'decimal', precision: MAX_PRECISION, scale: this.#scale });
    }
    this.#digits = Math.max(this.#digits, text.replace(/[-.]/g, '').length);
    return this.#storage.parse(text) !== undefined;
  }

  storage(surveyed: boolean): ColumnStorage {
    const scale = Math.max(0, this.#scale);
    const precision = surveyed ? Math.min(MAX_PRECISION, this.#digits) : MAX_PRECISION;
    return leafStorage(storageOf({ kind: 'decimal', precision, scale }));
  }
}

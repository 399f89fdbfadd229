/**
 * Rows into entries (the format is in row-codec.ts). `RowEncoder` is on the import's hot
 * path: from a batch straight into the tree's buffer, no string, no allocation per row.
 */
import { ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { hashToBytes } from '../hash.ts';
import { misfitReason } from './cell-type.ts';
import { KeyEncoder, type KeyProblemKind, MAX_KEY_BYTES } from './key-codec.ts';
import {
  appendContentCell,
  appendContentNull,
  CONTENT_DIGEST,
  CONTENT_PREFIX,
  contentDigest,
  endContentPrefix,
} from './keyless.ts';
import type { RowBatch } from './row-batch.ts';
import { KEYLESS_FLAG, REFERS_FLAG, SPILLED_FLAG, tupleColumns } from './row-codec.ts';
import type { Row, Schema } from './schema.ts';
import { type StoreBlob, TupleEncoder } from './tuple-encoder.ts';

/** Characters of a cell that an error shows. */
const SHOWN = 80;

/** Why a row could not be encoded. */
export interface RowProblem {
  readonly kind: KeyProblemKind;
  /** Schema column, from 0. */
  readonly column: number;
  /** The cell as written; null when it is null. */
  readonly text: string | null;
}

export class RowEncoder {
  readonly #schema: Schema;
  readonly #keySources: readonly number[];
  readonly #sources: Int32Array;
  readonly #key: KeyEncoder;
  readonly #tuple: TupleEncoder;
  readonly #storeBlob: StoreBlob;
  /** Bytes of the key that `encode` appended last. */
  keyLength = 0;
  /** Set when `encode` answers false. */
  problem: RowProblem | undefined;

  /** `sourceColumns[i]` is the batch column that holds schema column i; -1: always null. */
  constructor(schema: Schema, sourceColumns: readonly number[], storeBlob: StoreBlob) {
    this.#schema = schema;
    this.#keySources = schema.key.map((column) => sourceColumns[column]);
    this.#sources = Int32Array.from(tupleColumns(schema), (column) => sourceColumns[column]);
    const types = schema.key.map((column) => schema.columns[column].type);
    this.#key = new KeyEncoder(types, this.#keySources);
    this.#tuple = new TupleEncoder(this.#sources, storeBlob);
    this.#storeBlob = storeBlob;
  }

  /**
   * Appends the key of a row to `out` and its value to `values` (the same one: behind the
   * key); false, with nothing appended and `problem` set, if it has no valid key.
   */
  encode(batch: RowBatch, row: number, out: ByteWriter, values: ByteWriter = out): boolean {
    const from = out.length;
    if (this.#keySources.length === 0) {
      this.#encodeKeyless(batch, row, out, values);
      return true;
    }
    if (!this.#key.append(batch, row, out)) {
      this.problem = this.#describe(batch, row);
      return false;
    }
    this.keyLength = out.length - from;
    const flags = values.length;
    values.u8(0);
    this.#finish(values, flags, 0, this.#tuple.append(batch, row, values));
    return true;
  }

  #describe(batch: RowBatch, row: number): RowProblem {
    const { kind, component } = this.#key.problem;
    const column = this.#schema.key[component];
    const source = this.#keySources[component];
    const at = 2 * (row * batch.columns + source);
    const start = source < 0 ? -1 : batch.cells[at];
    const text = start < 0 ? null : sliceText(batch.bytes, start, batch.cells[at + 1]);
    return { kind, column, text };
  }

  #encodeKeyless(batch: RowBatch, row: number, out: ByteWriter, values: ByteWriter): void {
    const from = out.length;
    this.#appendContentPrefix(batch, row, out);
    const digestAt = out.length;
    out.reserve(CONTENT_DIGEST + 2);
    out.length += CONTENT_DIGEST;
    this.keyLength = out.length - from;
    const flags = values.length;
    values.u8(0).varint(1);
    const tupleAt = values.length;
    const spilled = this.#tuple.append(batch, row, values);
    const tuple = spilled ? this.#tuple.spilled : values.bytes.subarray(tupleAt, values.length);
    out.bytes.set(contentDigest(tuple), digestAt);
    this.#finish(values, flags, KEYLESS_FLAG, spilled);
  }

  #appendContentPrefix(batch: RowBatch, row: number, out: ByteWriter): void {
    const { bytes, cells } = batch;
    const from = out.length;
    const used = this.#usedCells(batch, row);
    for (let i = 0; i < used && out.length - from < CONTENT_PREFIX; i++) {
      const at = 2 * (row * batch.columns + this.#sources[i]);
      if (this.#sources[i] < 0 || cells[at] < 0) appendContentNull(out);
      else appendContentCell(out, bytes, cells[at], cells[at + 1]);
    }
    endContentPrefix(out, from);
  }

  /** Cells up to the last that is not null. */
  #usedCells(batch: RowBatch, row: number): number {
    const sources = this.#sources;
    let used = sources.length;
    while (used > 0) {
      const source = sources[used - 1];
      if (source >= 0 && batch.cells[2 * (row * batch.columns + source)] >= 0) break;
      used -= 1;
    }
    return used;
  }

  /** Appends the reference of a spilled tuple, and fills in the flags. */
  #finish(out: ByteWriter, flagsAt: number, flags: number, spilled: boolean): void {
    if (spilled) {
      const blob = this.#tuple.spilled;
      out.raw(hashToBytes(this.#storeBlob(blob))).varint(blob.length);
    }
    const outside = spilled ? SPILLED_FLAG | REFERS_FLAG : this.#tuple.refers ? REFERS_FLAG : 0;
    out.bytes[flagsAt] = flags | outside;
  }
}

function sliceText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}

/** A row of text cells as a batch of one. */
export function batchOfRow(row: Row): RowBatch {
  // Each cell by itself: joined as text, halves of surrogate pairs could meet.
  const parts = row.map((cell) => Buffer.from(cell ?? ''));
  const bytes = Buffer.concat(parts);
  const cells = new Int32Array(row.length * 2).fill(-1);
  let at = 0;
  parts.forEach((part, i) => {
    if (row[i] === null) return;
    cells[2 * i] = at;
    at += part.length;
    cells[2 * i + 1] = at;
  });
  return { rows: 1, columns: row.length, bytes, cells, lines: Float64Array.of(1) };
}

/**
 * One row as an entry, off the hot path.
 * @throws DvError `null-key`, `type-mismatch` (a key cell), `key-too-long`
 */
export function encodeRow(
  schema: Schema,
  row: Row,
  storeBlob: StoreBlob,
): { readonly key: Buffer; readonly value: Buffer } {
  const sources = schema.columns.map((_, i) => i);
  const encoder = new RowEncoder(schema, sources, storeBlob);
  const out = new ByteWriter(256);
  if (!encoder.encode(batchOfRow(row), 0, out)) throw rowError(schema, encoder.problem!);
  const bytes = out.take();
  return { key: bytes.subarray(0, encoder.keyLength), value: bytes.subarray(encoder.keyLength) };
}

/** A row problem as an error; `data` (file and line, or table and row) is added to what it says. */
export function rowError(
  schema: Schema,
  problem: RowProblem,
  data: Readonly<Record<string, unknown>> = {},
): DvError {
  const { name, type } = schema.columns[problem.column];
  const value = shorten(problem.text);
  const shown = JSON.stringify(value ?? '');
  const { file, line, table, row } = data;
  const inFile = file === undefined ? '' : ` (line ${line} of '${file}')`;
  const place = row === undefined ? inFile : ` (row ${row} for '${table}')`;
  const facts = { ...data, name, value };
  switch (problem.kind) {
    case 'null-key':
      return new DvError('null-key', `the key column "${name}" has no value${place}`, {
        hint: "--key names other columns; --key '' keeps rows without a key",
        data: facts,
      });
    case 'key-too-long':
      return new DvError(
        'key-too-long',
        `the key ${shown} in "${name}" is over ${MAX_KEY_BYTES} bytes${place}`,
        { hint: '--key names other columns', data: { ...facts, limit: MAX_KEY_BYTES } },
      );
    case 'misfit': {
      const reason = misfitReason(type, problem.text ?? '');
      const message = `${shown} in the key column "${name}" ${reason}${place}`;
      return new DvError('type-mismatch', message, {
        hint: `leave out --type ${name}=${type}, or give a wider type`,
        data: facts,
      });
    }
  }
}

/** What is shown of a cell. */
function shorten(text: string | null): string | null {
  return text !== null && text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

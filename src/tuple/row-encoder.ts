/**
 * Rows into entries (the format is in row-codec.ts). `RowEncoder` is on the import's hot
 * path: from a batch straight into the tree's buffer, no string, no allocation per row.
 */
import { ByteWriter, varintSize } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { type Hash, hashToBytes } from '../hash.ts';
import { misfitReason } from './cell-type.ts';
import { KeyEncoder, type KeyProblemKind } from './key-codec.ts';
import {
  appendContentCell,
  appendContentNull,
  CONTENT_DIGEST,
  CONTENT_PREFIX,
  contentDigest,
  endContentPrefix,
} from './keyless.ts';
import type { RowBatch } from './row-batch.ts';
import {
  BLOB_MARK,
  INLINE_BIAS,
  KEYLESS_FLAG,
  MAX_INLINE_CELL,
  MAX_TUPLE,
  NULL_MARK,
  REFERS_FLAG,
  SPILLED_FLAG,
  tupleColumns,
} from './row-codec.ts';
import type { Row, Schema } from './schema.ts';

/** Takes the bytes of a blob (only valid during the call) and answers with its hash. */
export type StoreBlob = (bytes: Uint8Array) => Hash;

/** Why a row could not be encoded. */
export interface RowProblem {
  readonly kind: KeyProblemKind;
  /** Schema column, from 0. */
  readonly column: number;
  /** The cell as written; null when it is null. */
  readonly text: string | null;
}

/** A cell's mark and size when it is out of line, at most. */
const REF_ROOM = 1 + 32 + 8;
/** A mark of an inline cell, at most. */
const MARK_ROOM = 8;
/** Up to here a byte loop beats a call. */
const SHORT_CELL = 32;

/** A cell up to this size has a mark of one byte. */
const ONE_BYTE_SIZE = 0x7f - INLINE_BIAS;

export class RowEncoder {
  readonly #schema: Schema;
  readonly #keySources: readonly number[];
  readonly #sources: Int32Array;
  readonly #key: KeyEncoder;
  readonly #storeBlob: StoreBlob;
  readonly #scratch = new ByteWriter(0);
  #refers = false;
  /** Bytes of the key in what `encode` appended last; the value follows it. */
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
    this.#storeBlob = storeBlob;
  }

  /** Appends key and value of a row; false, with nothing appended and `problem` set, if it
   * has no valid key. */
  encode(batch: RowBatch, row: number, out: ByteWriter): boolean {
    const from = out.length;
    if (this.#keySources.length === 0) {
      this.#encodeKeyless(batch, row, out);
      return true;
    }
    if (!this.#key.append(batch, row, out)) {
      this.problem = this.#describe(batch, row);
      return false;
    }
    this.keyLength = out.length - from;
    const flags = out.length;
    out.u8(0);
    this.#finish(out, flags, 0, this.#appendTuple(batch, row, out));
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

  #encodeKeyless(batch: RowBatch, row: number, out: ByteWriter): void {
    const from = out.length;
    this.#appendContentPrefix(batch, row, out);
    const digestAt = out.length;
    out.reserve(CONTENT_DIGEST + 2);
    out.length += CONTENT_DIGEST;
    this.keyLength = out.length - from;
    const flags = out.length;
    out.u8(0).varint(1);
    const tupleAt = out.length;
    const spilled = this.#appendTuple(batch, row, out);
    const { bytes, length } = spilled ? this.#scratch : out;
    out.bytes.set(contentDigest(bytes.subarray(spilled ? 0 : tupleAt, length)), digestAt);
    this.#finish(out, flags, KEYLESS_FLAG, spilled);
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
      const { bytes, length } = this.#scratch;
      const hash = this.#storeBlob(bytes.subarray(0, length));
      out.raw(hashToBytes(hash)).varint(length);
    }
    const outside = spilled ? SPILLED_FLAG | REFERS_FLAG : this.#refers ? REFERS_FLAG : 0;
    out.bytes[flagsAt] = flags | outside;
  }

  /** Appends the tuple; or, when it is too large, leaves it in the scratch and says true. */
  #appendTuple(batch: RowBatch, row: number, out: ByteWriter): boolean {
    const cells = batch.cells;
    const sources = this.#sources;
    const base = row * batch.columns;
    let used = 0;
    let room = 0;
    let refs = false;
    let adjacent = true;
    let expected = -1;
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i];
      const at = 2 * (base + source);
      const start = source < 0 ? -1 : cells[at];
      room += 1;
      if (start < 0) {
        adjacent = false;
        continue;
      }
      const end = cells[at + 1];
      const size = end - start;
      used = i + 1;
      if ((start !== expected && i > 0) || size > ONE_BYTE_SIZE) adjacent = false;
      expected = end + 1;
      if (size > MAX_INLINE_CELL) refs = true;
      room += size > MAX_INLINE_CELL ? REF_ROOM : size + MARK_ROOM;
    }
    this.#refers = refs;
    if (room > MAX_TUPLE && this.#tupleSize(batch, base, used) > MAX_TUPLE) {
      this.#scratch.clear();
      this.#appendCells(batch, base, used, this.#scratch, Infinity);
      return true;
    }
    out.reserve(room);
    if (adjacent) appendAdjacent(out, batch, base, sources);
    else this.#appendCells(batch, base, used, out, refs ? MAX_INLINE_CELL : Infinity);
    return false;
  }

  /** Exact bytes of a tuple whose large cells are out of line. */
  #tupleSize(batch: RowBatch, base: number, used: number): number {
    let total = 0;
    for (let i = 0; i < used; i++) {
      const at = 2 * (base + this.#sources[i]);
      const start = this.#sources[i] < 0 ? -1 : batch.cells[at];
      const size = start < 0 ? 0 : batch.cells[at + 1] - start;
      if (start < 0) total += 1;
      else if (size > MAX_INLINE_CELL) total += 33 + varintSize(size);
      else total += varintSize(size + INLINE_BIAS) + size;
    }
    return total;
  }

  #appendCells(
    batch: RowBatch,
    base: number,
    used: number,
    out: ByteWriter,
    maxInline: number,
  ): void {
    const { bytes, cells } = batch;
    const sources = this.#sources;
    for (let i = 0; i < used; i++) {
      const source = sources[i];
      const at = 2 * (base + source);
      const start = source < 0 ? -1 : cells[at];
      if (start < 0) {
        out.u8(NULL_MARK);
        continue;
      }
      const end = cells[at + 1];
      const size = end - start;
      if (size <= SHORT_CELL) appendShort(out, bytes, start, size);
      else if (size <= maxInline) out.varint(size + INLINE_BIAS).raw(bytes, start, end);
      else {
        const hash = this.#storeBlob(bytes.subarray(start, end));
        out.u8(BLOB_MARK).raw(hashToBytes(hash)).varint(size);
      }
    }
  }
}

/**
 * Cells that lie in the batch as in an unquoted CSV line, one byte between each and the next:
 * the whole span is copied at once, and each separator becomes the mark of the cell behind it.
 */
function appendAdjacent(
  out: ByteWriter,
  { bytes, cells }: RowBatch,
  base: number,
  sources: Int32Array,
): void {
  if (sources.length === 0) return;
  const first = cells[2 * (base + sources[0])];
  const shift = out.length + 1 - first;
  const last = cells[2 * (base + sources[sources.length - 1]) + 1];
  out.length += 1;
  out.raw(bytes, first, last);
  const target = out.bytes;
  for (let i = 0; i < sources.length; i++) {
    const at = 2 * (base + sources[i]);
    const start = cells[at];
    target[start + shift - 1] = cells[at + 1] - start + INLINE_BIAS;
  }
}

function appendShort(out: ByteWriter, b: Uint8Array, start: number, size: number): void {
  out.reserve(SHORT_CELL + 1);
  const target = out.bytes;
  let at = out.length;
  target[at++] = size + INLINE_BIAS;
  for (let i = 0; i < size; i++) target[at + i] = b[start + i];
  out.length = at + size;
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

/** A row problem as an error; `data` (file, line) is added to what the problem says. */
export function rowError(
  schema: Schema,
  problem: RowProblem,
  data: Readonly<Record<string, unknown>> = {},
): DvError {
  const { name, type } = schema.columns[problem.column];
  const shown = JSON.stringify((problem.text ?? '').slice(0, 80));
  const facts = { data: { ...data, name, value: problem.text } };
  switch (problem.kind) {
    case 'null-key':
      return new DvError('null-key', `the key column "${name}" has no value`, facts);
    case 'key-too-long':
      return new DvError('key-too-long', `the key ${shown}... in "${name}" is too long`, facts);
    case 'misfit': {
      const reason = misfitReason(type, problem.text ?? '');
      return new DvError('type-mismatch', `${shown} in the key column "${name}" ${reason}`, facts);
    }
  }
}

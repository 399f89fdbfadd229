/**
 * Primary-key cells to bytes and back, so that comparing bytes gives the order of the types:
 * the components of key-component.ts one after the other, in key order. Decoding gives the
 * exact cells back, and a key has one encoding.
 *
 * Who uses it: the row codec, and whoever seeks a key.
 */
import { ByteReader, ByteWriter, compareRanges, isUtf8Range } from '../bytes.ts';
import { bug, DvError } from '../errors.ts';
import { misfitReason } from './cell-type.ts';
import { appendComponent, readComponent } from './key-component.ts';
import type { RowBatch } from './row-batch.ts';
import type { ColumnType } from './schema.ts';

/** Longest encoded key, in bytes. */
export const MAX_KEY_BYTES = 8192;

export type KeyProblemKind = 'null-key' | 'misfit' | 'key-too-long';

/** What kept a row's key from being encoded. */
export interface KeyProblem {
  readonly kind: KeyProblemKind;
  /** Place in the key, from 0: the first component that does not do. */
  readonly component: number;
}

/** Encodes the key of batch rows. Allocates nothing. */
export class KeyEncoder {
  readonly #types: readonly ColumnType[];
  readonly #sources: readonly number[];
  #kind: KeyProblemKind = 'misfit';
  #component = 0;

  /** `sources[i]` is the batch column (-1: null) that holds the key's component i. */
  constructor(types: readonly ColumnType[], sources: readonly number[]) {
    this.#types = types;
    this.#sources = sources;
  }

  /** Appends the key of a row; false, with nothing appended and `problem` set, if it has none. */
  append(batch: RowBatch, row: number, out: ByteWriter): boolean {
    const { bytes, cells } = batch;
    const sources = this.#sources;
    const from = out.length;
    const end = sources.length - 1;
    for (let i = 0; i <= end; i++) {
      const source = sources[i];
      const at = 2 * (row * batch.columns + source);
      if (source < 0 || cells[at] < 0) return this.#refuse('null-key', i, out, from);
      const start = cells[at];
      const stop = cells[at + 1];
      if (stop - start > MAX_KEY_BYTES) return this.#refuse('key-too-long', i, out, from);
      if (!appendComponent(out, this.#types[i], bytes, start, stop, i === end)) {
        return this.#refuse('misfit', i, out, from);
      }
    }
    if (out.length - from > MAX_KEY_BYTES) return this.#refuse('key-too-long', end, out, from);
    return true;
  }

  #refuse(kind: KeyProblemKind, component: number, out: ByteWriter, from: number): false {
    this.#kind = kind;
    this.#component = component;
    out.length = from;
    return false;
  }

  /** Why the last `append` said no. */
  get problem(): KeyProblem {
    return { kind: this.#kind, component: this.#component };
  }
}

/**
 * The key of `cells`, which are in key order.
 * @throws DvError `type-mismatch` (a cell that is not of its type), `key-too-long`
 */
export function encodeKey(cells: readonly string[], types: readonly ColumnType[]): Buffer {
  if (cells.length !== types.length) {
    throw bug(`a key of ${types.length} columns was given ${cells.length} cells`);
  }
  const out = new ByteWriter(64);
  cells.forEach((cell, i) => {
    const bytes = Buffer.from(cell);
    if (!appendComponent(out, types[i], bytes, 0, bytes.length, i === cells.length - 1)) {
      throw new DvError('type-mismatch', `the key "${cell}" ${misfitReason(types[i], cell)}`, {
        data: { value: cell, type: types[i] },
      });
    }
  });
  if (out.length > MAX_KEY_BYTES) {
    throw new DvError('key-too-long', `a key takes ${out.length} bytes, over ${MAX_KEY_BYTES}`, {
      data: { bytes: out.length },
    });
  }
  return out.take();
}

/**
 * Decodes keys into the UTF-8 of their cells: after `read`, component i of the key is
 * `out.bytes[ends[i-1] ?? start .. ends[i])`, `start` being where `out` stood.
 */
export class KeyDecoder {
  readonly #types: readonly ColumnType[];
  readonly ends: Int32Array;

  constructor(types: readonly ColumnType[]) {
    this.#types = types;
    this.ends = new Int32Array(types.length);
  }

  /** @throws DvError `corrupt` */
  read(key: Uint8Array, out: ByteWriter): void {
    const types = this.#types;
    const reader = new ByteReader(key);
    for (let i = 0; i < types.length; i++) {
      readComponent(reader, types[i], i === types.length - 1, out);
      this.ends[i] = out.length;
    }
    if (reader.remaining > 0) throw new DvError('corrupt', 'a key has bytes behind its end');
  }
}

/** The cells of a key. @throws DvError `corrupt` */
export function decodeKey(key: Uint8Array, types: readonly ColumnType[]): string[] {
  const out = new ByteWriter(key.length + 24);
  const decoder = new KeyDecoder(types);
  decoder.read(key, out);
  return types.map((_, i) => out.bytes.toString('utf8', decoder.ends[i - 1] ?? 0, decoder.ends[i]));
}

/** Checks keys of one schema, one after the other; allocates nothing a key. */
export class KeyChecker {
  readonly #types: readonly ColumnType[];
  readonly #decoder: KeyDecoder;
  readonly #text = new ByteWriter(64);
  readonly #again = new ByteWriter(64);

  constructor(types: readonly ColumnType[]) {
    this.#types = types;
    this.#decoder = new KeyDecoder(types);
  }

  /** Decoding and encoding again gives the same bytes. @throws DvError `corrupt` when not */
  check(key: Uint8Array): void {
    const types = this.#types;
    const { ends } = this.#decoder;
    const text = this.#text.clear();
    const again = this.#again.clear();
    this.#decoder.read(key, text);
    for (let i = 0, start = 0; i < types.length; start = ends[i++]) {
      if (!isUtf8Range(text.bytes, start, ends[i])) {
        throw new DvError('corrupt', 'a key is not UTF-8');
      }
      if (!appendComponent(again, types[i], text.bytes, start, ends[i], i === types.length - 1)) {
        throw new DvError('corrupt', `a key column of type ${types[i]} holds something else`);
      }
    }
    const { bytes, length } = again;
    if (key.length > MAX_KEY_BYTES || compareRanges(bytes, 0, length, key, 0, key.length) !== 0) {
      throw new DvError('corrupt', 'a key is not in its one canonical form');
    }
  }
}

/** As `KeyChecker`, for one key. @throws DvError `corrupt` */
export function checkKey(key: Uint8Array, types: readonly ColumnType[]): void {
  new KeyChecker(types).check(key);
}

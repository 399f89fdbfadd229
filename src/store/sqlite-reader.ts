/**
 * Chunks out of the database: found by hash, decoded, and checked against the hash. So
 * whatever the file holds (a flipped bit, a wrong base, a forged row), no caller ever gets
 * bytes that are not the chunk's; it costs 3 microseconds for 8 KiB.
 *
 * Everything here is synchronous and expects to run inside `SqliteFile.read` or `write`.
 */
import { DvError } from '../errors.ts';
import { type Hash, hashOf, hashToBytes } from '../hash.ts';
import { ChunkCache } from './chunk-cache.ts';
import type { Compression, Dictionary } from './compression.ts';
import { bytesOfColumn, hashOfColumn } from './sqlite-columns.ts';
import type { Dictionaries } from './sqlite-dictionaries.ts';
import type { SqliteFile } from './sqlite-file.ts';
import { MOST_DELTAS } from './sqlite-schema.ts';

/** How an object lies there. */
export interface StoredForm {
  readonly base: Hash | null;
  readonly encoding: number;
  readonly rawSize: number;
  readonly data: Uint8Array;
}

/** What is known of an object without its data. */
export interface ObjectEntry {
  readonly id: number;
  readonly base: number | null;
  readonly encoding: number;
  readonly written: number;
  /** Bytes of `data`. */
  readonly size: number;
}

interface ObjectRow {
  readonly hash: unknown;
  readonly base: number | null;
  readonly encoding: number;
  readonly raw_size: number;
  readonly data: unknown;
}

const CACHE_BYTES = 32 * 1024 * 1024;
/** Bytes of the hash that are in the index. */
const INDEXED_BYTES = 6;

export class ObjectReader {
  private readonly file: SqliteFile;
  private readonly compression: Compression;
  private readonly dictionaries: Dictionaries;
  private readonly cache = new ChunkCache(CACHE_BYTES);

  constructor(file: SqliteFile, compression: Compression, dictionaries: Dictionaries) {
    this.file = file;
    this.compression = compression;
    this.dictionaries = dictionaries;
  }

  find(hash: Hash): ObjectEntry | undefined {
    const bytes = hashToBytes(hash);
    return this.file
      .sql<ObjectEntry>(
        `SELECT id, base, encoding, written, length(data) AS size FROM objects
         WHERE substr(hash, 1, 6) = substr(?, 1, 6) AND hash = ?`,
      )
      .get(bytes, bytes);
  }

  findEntry(id: number): ObjectEntry | undefined {
    return this.file
      .sql<ObjectEntry>(
        `SELECT id, base, encoding, written, length(data) AS size FROM objects WHERE id = ?`,
      )
      .get(id);
  }

  findId(hash: Hash): number | undefined {
    const bytes = hashToBytes(hash);
    return this.file
      .sql(
        `SELECT id FROM objects
         WHERE substr(hash, 1, 6) = substr(?, 1, 6) AND hash = ?`,
      )
      .pluck()
      .get(bytes, bytes) as number | undefined;
  }

  /** As it is stored, unchecked. */
  readForm(hash: Hash): StoredForm | undefined {
    const id = this.findId(hash);
    const row = id === undefined ? undefined : this.row(id);
    if (row === undefined) return undefined;
    const base = row.base === null ? null : this.hashOfId(row.base);
    const { encoding, raw_size: rawSize } = row;
    return { base, encoding, rawSize, data: bytesOfColumn(row.data) };
  }

  private hashOfId(id: number): Hash {
    return hashOfColumn(this.file.sql('SELECT hash FROM objects WHERE id = ?').pluck().get(id));
  }

  /** @throws DvError `corrupt` */
  get(hash: Hash): Uint8Array | undefined {
    const id = this.findId(hash);
    return id === undefined ? undefined : this.readId(id);
  }

  /** The bytes of the chunk with this id. @throws DvError `corrupt` */
  readId(id: number): Uint8Array {
    return this.readWithin(id, MOST_DELTAS);
  }

  /** `deltas`: how many may still follow; more could be a chain of any length, or a ring. */
  private readWithin(id: number, deltas: number): Uint8Array {
    const cached = this.cache.get(id);
    if (cached !== undefined) return cached;
    const row = this.row(id);
    if (row === undefined) throw new DvError('corrupt', `object ${id}, a delta's base, is missing`);
    if (row.base !== null && deltas === 0) {
      throw new DvError('corrupt', `object ${id} is a delta, and the base of a delta's base`);
    }
    const bytes = this.decode(row, deltas);
    this.cache.set(id, bytes);
    return bytes;
  }

  /** Hashes that start with `prefix`, in order. */
  findPrefix(prefix: string, limit: number): Hash[] {
    const digits = INDEXED_BYTES * 2;
    const rows = this.file
      .sql(
        `SELECT hash FROM objects WHERE substr(hash, 1, 6) BETWEEN ? AND ?
         ORDER BY substr(hash, 1, 6)`,
      )
      .pluck()
      .iterate(
        Buffer.from(prefix.slice(0, digits).padEnd(digits, '0'), 'hex'),
        Buffer.from(prefix.slice(0, digits).padEnd(digits, 'f'), 'hex'),
      ) as IterableIterator<unknown>;
    const found: Hash[] = [];
    for (const row of rows) {
      const hash = hashOfColumn(row);
      if (!hash.startsWith(prefix)) continue;
      // two hashes may share all that is indexed, and come in any order
      if (found.length >= limit && found[limit - 1].slice(0, digits) !== hash.slice(0, digits))
        break;
      found.push(hash);
    }
    return found.sort().slice(0, limit);
  }

  clearCache(): void {
    this.cache.clear();
  }

  private row(id: number): ObjectRow | undefined {
    return this.file
      .sql<ObjectRow>('SELECT hash, base, encoding, raw_size, data FROM objects WHERE id = ?')
      .get(id);
  }

  private decode(row: ObjectRow, deltas: number): Uint8Array {
    const hash = hashOfColumn(row.hash);
    try {
      const bytes = this.decompress(row, deltas);
      if (hashOf(bytes) === hash) return bytes;
    } catch (cause) {
      throw damaged(hash, cause);
    }
    throw damaged(hash);
  }

  private decompress(row: ObjectRow, deltas: number): Uint8Array {
    const data = bytesOfColumn(row.data);
    if (row.encoding === 0) return data;
    return this.compression.decompress(data, row.raw_size, this.dictionaryOf(row, deltas));
  }

  private dictionaryOf({ base, encoding }: ObjectRow, deltas: number): Dictionary | undefined {
    if (base !== null) return this.readWithin(base, deltas - 1);
    return this.dictionaries.readIfShared(encoding)?.prepared;
  }
}

function damaged(hash: Hash, cause?: unknown): DvError {
  return new DvError('corrupt', `stored object ${hash} is damaged`, {
    hint: 'dv fsck',
    data: { hash },
    cause,
  });
}

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

/** Entries that are kept in memory. */
const KNOWN_ENTRIES = 8192;
const CACHE_BYTES = 32 * 1024 * 1024;
/** Bytes of the hash that are in the index. */
const INDEXED_BYTES = 6;

export class ObjectReader {
  private readonly file: SqliteFile;
  private readonly compression: Compression;
  private readonly dictionaries: Dictionaries;
  private readonly cache = new ChunkCache(CACHE_BYTES);
  /**
   * Found or inserted lately, by hash and by id: a commit changes what the one before it made.
   * All are forgotten when another connection writes, or something is removed.
   */
  private readonly known = new Map<Hash, ObjectEntry>();
  private readonly knownIds = new Map<number, ObjectEntry>();

  constructor(file: SqliteFile, compression: Compression, dictionaries: Dictionaries) {
    this.file = file;
    this.compression = compression;
    this.dictionaries = dictionaries;
    file.tell({ othersWrote: () => this.forget(), rolledBack: () => this.clearCache() });
  }

  find(hash: Hash): ObjectEntry | undefined {
    const known = this.known.get(hash);
    if (known !== undefined) return known;
    const bytes = hashToBytes(hash);
    const entry = this.file
      .sql<ObjectEntry>(
        `SELECT id, base, encoding, written, length(data) AS size FROM objects
         WHERE substr(hash, 1, 6) = substr(?, 1, 6) AND hash = ?`,
      )
      .get(bytes, bytes);
    if (entry !== undefined) this.note(hash, entry);
    return entry;
  }

  findEntry(id: number): ObjectEntry | undefined {
    const known = this.knownIds.get(id);
    if (known !== undefined) return known;
    return this.file
      .sql<ObjectEntry>(
        `SELECT id, base, encoding, written, length(data) AS size FROM objects WHERE id = ?`,
      )
      .get(id);
  }

  findId(hash: Hash): number | undefined {
    const known = this.known.get(hash);
    if (known !== undefined) return known.id;
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
    const id = this.find(hash)?.id;
    return id === undefined ? undefined : this.readId(id);
  }

  /** What `get` answers for each, if all of it is in memory. */
  kept(hashes: readonly Hash[]): Uint8Array[] | undefined {
    const found: Uint8Array[] = [];
    for (const hash of hashes) {
      const entry = this.known.get(hash);
      const bytes = entry && this.cache.get(entry.id);
      if (bytes === undefined) return undefined;
      found.push(bytes);
    }
    return found;
  }

  /** An object that was found or inserted in this transaction. */
  note(hash: Hash, entry: ObjectEntry): void {
    if (this.known.size >= KNOWN_ENTRIES) this.forget();
    this.known.set(hash, entry);
    this.knownIds.set(entry.id, entry);
  }

  /** Keeps the bytes of an object that was just inserted, as if they had been read. */
  keep(hash: Hash, bytes: Uint8Array): void {
    const entry = this.known.get(hash);
    if (entry !== undefined) this.cache.set(entry.id, bytes);
  }

  /** Objects are removed, or may have been. */
  forget(): void {
    this.known.clear();
    this.knownIds.clear();
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
    this.forget();
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

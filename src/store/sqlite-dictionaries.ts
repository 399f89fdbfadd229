/**
 * Dictionaries that whole chunks share. A leaf compressed alone knows nothing of the table;
 * with 32 KB of its neighbours as dictionary, the benchmark table takes 1.09 of what
 * `zstd -1` makes of the whole file instead of 1.17, for 15 microseconds more a leaf of
 * 16 KiB (level 3 would give 1.13 for 20 microseconds more, level 4 1.11 for 65).
 *
 * A batch of new chunks tries the last few dictionaries on samples of itself. When none
 * helps and the batch is large enough to be worth one, it makes its own, of pieces of its
 * chunks. So there is about one for each kind of large table; they are few, small and stay.
 */
import { DvError } from '../errors.ts';
import { type Hash, hashOf } from '../hash.ts';
import { type Compression, canBeDictionary, type PreparedDictionary } from './compression.ts';
import { MAX_CHUNK_BYTES } from './contract.ts';
import { bytesOfColumn } from './sqlite-columns.ts';
import type { SqliteFile } from './sqlite-file.ts';

/** A dictionary in the database, or one that will be there when its plan is stored. */
export interface SharedDictionary {
  readonly id: number | undefined;
  readonly prepared: PreparedDictionary;
}

/** The first id: `encoding` 0 and 1 mean something else. */
export const FIRST_DICTIONARY = 2;
const MOST_DICTIONARIES = 64;
/** Bytes of one dictionary, taken in pieces from this many chunks. */
const DICTIONARY_BYTES = 32 * 1024;
const PIECES = 8;
/** How many of the latest are tried on how many samples. */
const TRIED = 3;
const SAMPLES = 4;
/** What a dictionary must save of the samples' size. */
const WORTHWHILE = 0.04;
/** Below this many bytes in a batch none is tried; from that many on one may be made. */
const MIN_BYTES_TO_TRY = 4 * 1024;
const MIN_BYTES_TO_MAKE = 512 * 1024;

export class Dictionaries {
  private readonly file: SqliteFile;
  private readonly compression: Compression;
  private readonly known = new Map<number, SharedDictionary>();
  private readonly hashes = new Map<number, Hash>();
  private readonly byHash = new Map<Hash, number>();

  constructor(file: SqliteFile, compression: Compression) {
    this.file = file;
    this.compression = compression;
  }

  /** @throws DvError `corrupt` when there is none with this id */
  read(id: number): SharedDictionary {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const row = this.file
      .sql<{ raw_size: number; data: unknown }>(
        'SELECT raw_size, data FROM dictionaries WHERE id = ?',
      )
      .get(id);
    if (row === undefined) throw new DvError('corrupt', `dictionary ${id} is missing`);
    const bytes = this.compression.decompress(bytesOfColumn(row.data), row.raw_size);
    const dictionary = { id, prepared: this.compression.prepare(bytes) };
    this.known.set(id, dictionary);
    return dictionary;
  }

  /** What an object with this `encoding` was compressed with, if with one. */
  readIfShared(encoding: number): SharedDictionary | undefined {
    return encoding < FIRST_DICTIONARY ? undefined : this.read(encoding);
  }

  /** The dictionary that suits a batch of new chunks, perhaps a new one, or none. */
  choose(chunks: readonly Uint8Array[]): SharedDictionary | undefined {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (bytes < MIN_BYTES_TO_TRY) return undefined;
    const samples = spread(chunks, SAMPLES);
    let limit = this.sizeOf(samples) * (1 - WORTHWHILE);
    let best: SharedDictionary | undefined;
    for (const id of this.latest()) {
      const dictionary = this.read(id);
      const size = this.sizeOf(samples, dictionary.prepared);
      if (size > limit) continue;
      limit = size;
      best = dictionary;
    }
    if (best !== undefined || bytes < MIN_BYTES_TO_MAKE) return best;
    return this.make(chunks, samples, limit);
  }

  /** Writes a new dictionary; runs inside `SqliteFile.write`. Answers with its id. */
  store({ prepared }: SharedDictionary): number {
    const last = this.file.sql('SELECT max(id) FROM dictionaries').pluck().get() as number | null;
    const id = (last ?? FIRST_DICTIONARY - 1) + 1;
    this.file
      .sql('INSERT INTO dictionaries (id, raw_size, data) VALUES (?, ?, ?)')
      .run(id, prepared.bytes.length, this.compression.compress(prepared.bytes));
    return id;
  }

  /** The hash of a dictionary's bytes: what it is called outside this store. */
  hashOf(id: number): Hash {
    const hash = this.hashes.get(id) ?? hashOf(this.read(id).prepared.bytes);
    this.hashes.set(id, hash);
    return hash;
  }

  find(hash: Hash): SharedDictionary | undefined {
    if (!this.byHash.has(hash)) this.lookForNew();
    const id = this.byHash.get(hash);
    return id === undefined ? undefined : this.read(id);
  }

  /** There are few, and each is hashed once. */
  private lookForNew(): void {
    const ids = this.file.sql('SELECT id FROM dictionaries').pluck().all() as number[];
    for (const id of ids) this.byHash.set(this.hashOf(id), id);
  }

  /** Stores one from outside, unless it is there, useless, or there are too many. */
  add(bytes: Uint8Array): void {
    if (!canBeDictionary(bytes) || bytes.length > MAX_CHUNK_BYTES) return;
    if (this.isFull() || this.find(hashOf(bytes)) !== undefined) return;
    this.store({ id: undefined, prepared: this.compression.prepare(bytes) });
  }

  private isFull(): boolean {
    return Number(this.latest()[0] ?? 0) >= FIRST_DICTIONARY + MOST_DICTIONARIES - 1;
  }

  private latest(): number[] {
    return this.file
      .sql('SELECT id FROM dictionaries ORDER BY id DESC LIMIT ?')
      .pluck()
      .all(TRIED) as number[];
  }

  private make(
    chunks: readonly Uint8Array[],
    samples: readonly Uint8Array[],
    limit: number,
  ): SharedDictionary | undefined {
    if (this.isFull()) return undefined;
    const others = chunks.filter((chunk) => !samples.includes(chunk));
    const pieces = spread(others, PIECES).map((chunk) =>
      chunk.subarray(Math.max(0, chunk.length - DICTIONARY_BYTES / PIECES)),
    );
    const bytes = Buffer.concat(pieces);
    if (!canBeDictionary(bytes)) return undefined;
    const prepared = this.compression.prepare(bytes);
    return this.sizeOf(samples, prepared) <= limit ? { id: undefined, prepared } : undefined;
  }

  private sizeOf(samples: readonly Uint8Array[], dictionary?: PreparedDictionary): number {
    return samples.reduce(
      (sum, bytes) => sum + this.compression.compress(bytes, dictionary).length,
      0,
    );
  }
}

/** At most `count` of `items`, evenly spread. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from(
    { length: count },
    (_, i) => items[Math.floor(((i + 0.5) * items.length) / count)],
  );
}

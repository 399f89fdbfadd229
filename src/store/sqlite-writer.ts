/**
 * Chunks into the database, in two steps: `plan` looks up and compresses, before the write
 * lock is taken; `store` writes the plan under the lock. When anybody wrote in between
 * (`SqliteFile.version`), the plan is made again under the lock, so that it never rests on
 * a base that a gc has just removed, nor stores what another process has just stored.
 *
 * A chunk that is there already is not written again, but it may have to be touched: a gc
 * must see that somebody relies on it (sqlite-sweep.ts). The same goes for a delta's base.
 */
import { bug } from '../errors.ts';
import { type Hash, hashToBytes } from '../hash.ts';
import { encodeChunk } from './chunk-encoding.ts';
import type { Compression } from './compression.ts';
import { type ChunkToPut, MAX_CHUNK_BYTES } from './contract.ts';
import { type Counters, readCounters } from './sqlite-counters.ts';
import type { SqliteFile } from './sqlite-file.ts';
import { packPages } from './sqlite-packing.ts';
import type { ObjectEntry, ObjectReader } from './sqlite-reader.ts';

/** An object that is there already: touched again after this long, in ms. */
const TOUCH_AGAIN_MS = 60_000;

interface PlannedObject {
  readonly chunk: ChunkToPut;
  readonly data: Uint8Array;
  readonly zstd: boolean;
  /** A stored keyframe's id, one that is in the same plan, or null. */
  readonly base: number | PlannedObject | null;
}

export interface PutPlan {
  readonly version: string;
  readonly fresh: readonly PlannedObject[];
  /** Objects that are there and must not be swept: put again, or the base of a new delta. */
  readonly relied: readonly ObjectEntry[];
}

/** A keyframe that a new chunk may be a delta against. */
interface Keyframe {
  readonly base: number | PlannedObject;
  readonly bytes: Uint8Array;
  readonly grown: boolean;
}

export class ObjectWriter {
  private readonly file: SqliteFile;
  private readonly reader: ObjectReader;
  private readonly compression: Compression;
  private readonly now: () => number;

  constructor(file: SqliteFile, reader: ObjectReader, compression: Compression, now: () => number) {
    this.file = file;
    this.reader = reader;
    this.compression = compression;
    this.now = now;
  }

  /** Reads, compresses, writes nothing. Run inside `SqliteFile.read` or `write`. */
  plan(chunks: readonly ChunkToPut[]): PutPlan {
    const version = this.file.version();
    const fresh = new Map<Hash, PlannedObject>();
    const relied = new Map<number, ObjectEntry>();
    for (const chunk of chunks) {
      if (fresh.has(chunk.hash)) continue;
      const entry = this.reader.find(chunk.hash);
      if (entry === undefined) fresh.set(chunk.hash, this.planChunk(chunk, fresh, relied));
      else this.rely(entry, relied);
    }
    return { version, fresh: [...fresh.values()], relied: [...relied.values()] };
  }

  /** Runs inside `SqliteFile.write`. */
  store(plan: PutPlan, chunks: readonly ChunkToPut[]): void {
    const current = plan.version === this.file.version() ? plan : this.plan(chunks);
    const counters = readCounters(this.file);
    this.insert(current.fresh, counters.next_id);
    this.touch(current.relied, counters);
  }

  private planChunk(
    chunk: ChunkToPut,
    fresh: ReadonlyMap<Hash, PlannedObject>,
    relied: Map<number, ObjectEntry>,
  ): PlannedObject {
    const { bytes, like } = chunk;
    if (bytes.length > MAX_CHUNK_BYTES) throw bug(`a chunk of ${bytes.length} bytes`);
    const keyframe = like === undefined ? undefined : this.keyframeOf(like, fresh);
    const { data, zstd, delta } = encodeChunk(this.compression, bytes, keyframe);
    const base = delta && keyframe !== undefined ? keyframe.base : null;
    if (typeof base === 'number') this.relyOnBase(base, relied);
    return { chunk, data, zstd, base };
  }

  /** The whole chunk that `like` is, or is a delta against; undefined when absent. */
  private keyframeOf(like: Hash, fresh: ReadonlyMap<Hash, PlannedObject>): Keyframe | undefined {
    const planned = fresh.get(like);
    if (planned !== undefined) return this.keyframeOfPlanned(planned);
    const entry = this.reader.find(like);
    if (entry === undefined) return undefined;
    const base = entry.base ?? entry.id;
    return { base, bytes: this.reader.readId(base), grown: entry.base !== null };
  }

  private keyframeOfPlanned(planned: PlannedObject): Keyframe {
    const base = planned.base ?? planned;
    const grown = planned.base !== null;
    const bytes = typeof base === 'number' ? this.reader.readId(base) : base.chunk.bytes;
    return { base, bytes, grown };
  }

  private rely(entry: ObjectEntry, relied: Map<number, ObjectEntry>): void {
    relied.set(entry.id, entry);
    if (entry.base !== null) this.relyOnBase(entry.base, relied);
  }

  private relyOnBase(id: number, relied: Map<number, ObjectEntry>): void {
    const entry = relied.get(id) ?? this.reader.findEntry(id);
    if (entry !== undefined) relied.set(id, entry);
  }

  private insert(fresh: readonly PlannedObject[], firstId: number): void {
    if (fresh.length === 0) return;
    const order = packPages(fresh.map((planned) => planned.data.length));
    const ids = new Map(order.map((index, place) => [fresh[index], firstId + place]));
    const written = this.now();
    const statement = this.file.sql(
      `INSERT INTO objects (id, hash, base, zstd, kind, raw_size, written, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const [planned, id] of ids) {
      const { chunk, data, zstd } = planned;
      const { hash, bytes } = chunk;
      const base = typeof planned.base === 'object' ? idOf(planned.base, ids) : planned.base;
      statement.run(
        id,
        hashToBytes(hash),
        base,
        zstd ? 1 : 0,
        bytes[0] ?? 0,
        bytes.length,
        written,
        data,
      );
    }
    this.file.sql('UPDATE counters SET next_id = ?').run(firstId + fresh.length);
  }

  /**
   * Notes that objects are relied on. Not needed for what was written a moment ago or after
   * the last gc began marking; otherwise once a gc round and once a minute.
   */
  private touch(relied: readonly ObjectEntry[], { gc_round, gc_top }: Counters): void {
    const time = this.now();
    for (const { id, written } of relied) {
      if (id > gc_top && written > time - TOUCH_AGAIN_MS) continue;
      this.file
        .sql(
          `INSERT INTO touched (id, time, round) VALUES (?1, ?2, ?3)
           ON CONFLICT (id) DO UPDATE SET time = ?2, round = ?3
           WHERE round < ?3 OR time <= ?4`,
        )
        .run(id, time, gc_round, time - TOUCH_AGAIN_MS);
    }
  }
}

function idOf(base: PlannedObject | null, ids: ReadonlyMap<PlannedObject, number>): number | null {
  return base === null ? null : (ids.get(base) ?? null);
}

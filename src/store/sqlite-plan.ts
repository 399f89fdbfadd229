/**
 * What a batch of chunks will be in the database: found, compared, compressed; nothing is
 * written. Made before the write lock is taken, because this is the long part.
 */
import { bug } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { encodeChunk } from './chunk-encoding.ts';
import type { Compression } from './compression.ts';
import { type ChunkToPut, MAX_CHUNK_BYTES } from './contract.ts';
import {
  type Dictionaries,
  FIRST_DICTIONARY,
  type SharedDictionary,
} from './sqlite-dictionaries.ts';
import type { SqliteFile } from './sqlite-file.ts';
import type { ObjectEntry, ObjectReader } from './sqlite-reader.ts';

export interface PlannedObject {
  readonly chunk: ChunkToPut;
  readonly data: Uint8Array;
  readonly encoding: 0 | 1 | SharedDictionary;
  /** A stored keyframe's id, one that is in the same plan, or null. */
  readonly base: number | PlannedObject | null;
}

export interface PutPlan {
  /** `SqliteFile.version` when it was made. */
  readonly version: string;
  readonly fresh: readonly PlannedObject[];
  /** Objects that are there and must not be swept: put again, or the base of a new delta. */
  readonly relied: readonly ObjectEntry[];
  /** Ids of those that are put again. */
  readonly again: readonly number[];
}

/** A whole chunk that a new one may be a delta against. */
interface Keyframe {
  readonly base: number | PlannedObject;
  readonly bytes: Uint8Array;
  readonly grown: boolean;
  readonly dictionary: SharedDictionary | undefined;
}

interface PlanParts {
  readonly fresh: Map<Hash, PlannedObject>;
  readonly relied: Map<number, ObjectEntry>;
  readonly again: Set<number>;
}

export class PutPlanner {
  private readonly file: SqliteFile;
  private readonly reader: ObjectReader;
  private readonly compression: Compression;
  private readonly dictionaries: Dictionaries;

  constructor(
    file: SqliteFile,
    reader: ObjectReader,
    compression: Compression,
    dictionaries: Dictionaries,
  ) {
    this.file = file;
    this.reader = reader;
    this.compression = compression;
    this.dictionaries = dictionaries;
  }

  /** Run inside `SqliteFile.read` or `write`. */
  plan(chunks: readonly ChunkToPut[]): PutPlan {
    const parts: PlanParts = { fresh: new Map(), relied: new Map(), again: new Set() };
    const absent = this.findAbsent(chunks, parts);
    const alone = absent.filter(({ like }) => like === undefined).map(({ bytes }) => bytes);
    const shared = this.dictionaries.choose(alone);
    for (const chunk of absent) parts.fresh.set(chunk.hash, this.planChunk(chunk, parts, shared));
    return {
      version: this.file.version(),
      fresh: [...parts.fresh.values()],
      relied: [...parts.relied.values()],
      again: [...parts.again],
    };
  }

  /** The chunks that are not there yet, each once; the others are noted as relied on. */
  private findAbsent(chunks: readonly ChunkToPut[], { relied, again }: PlanParts): ChunkToPut[] {
    const absent = new Map<Hash, ChunkToPut>();
    for (const chunk of chunks) {
      if (chunk.bytes.length > MAX_CHUNK_BYTES) throw bug(`a chunk of ${chunk.bytes.length} bytes`);
      const entry = this.reader.find(chunk.hash);
      if (entry === undefined) absent.set(chunk.hash, absent.get(chunk.hash) ?? chunk);
      else {
        relied.set(entry.id, entry);
        again.add(entry.id);
      }
    }
    return [...absent.values()];
  }

  private planChunk(
    chunk: ChunkToPut,
    parts: PlanParts,
    shared: SharedDictionary | undefined,
  ): PlannedObject {
    const keyframe = this.keyframeOf(chunk.like, parts);
    const dictionary = keyframe === undefined ? shared : keyframe.dictionary;
    const encoded = encodeChunk(this.compression, chunk.bytes, keyframe, dictionary?.prepared);
    const { data, form } = encoded;
    if (form === 'delta' && keyframe !== undefined) {
      if (typeof keyframe.base === 'number') this.relyOnBase(keyframe.base, parts.relied);
      return { chunk, data, encoding: 1, base: keyframe.base };
    }
    const withDictionary = form === 'frame with dictionary' ? dictionary : undefined;
    return { chunk, data, encoding: withDictionary ?? (form === 'raw' ? 0 : 1), base: null };
  }

  /** The whole chunk that `like` is, or is a delta against; undefined when absent. */
  private keyframeOf(like: Hash | undefined, { fresh }: PlanParts): Keyframe | undefined {
    if (like === undefined) return undefined;
    const planned = fresh.get(like);
    if (planned !== undefined) {
      return planned.base === null
        ? this.plannedKeyframe(planned, false)
        : this.keyframe(planned.base, true);
    }
    const entry = this.reader.find(like);
    if (entry === undefined) return undefined;
    return this.keyframe(entry.base ?? entry.id, entry.base !== null);
  }

  private keyframe(base: number | PlannedObject, grown: boolean): Keyframe {
    if (typeof base === 'object') return this.plannedKeyframe(base, grown);
    const encoding = this.reader.findEntry(base)?.encoding ?? 0;
    const dictionary = encoding < FIRST_DICTIONARY ? undefined : this.dictionaries.read(encoding);
    return { base, bytes: this.reader.readId(base), grown, dictionary };
  }

  private plannedKeyframe(base: PlannedObject, grown: boolean): Keyframe {
    const dictionary = typeof base.encoding === 'object' ? base.encoding : undefined;
    return { base, bytes: base.chunk.bytes, grown, dictionary };
  }

  private relyOnBase(id: number, relied: Map<number, ObjectEntry>): void {
    const entry = relied.get(id) ?? this.reader.findEntry(id);
    if (entry !== undefined) relied.set(id, entry);
  }
}

/**
 * What a batch of chunks will be in the database: found, compared, compressed; nothing is
 * written. Made before the write lock is taken, because this is the long part.
 *
 * A chunk from another store (transfer.ts) keeps the bytes it had there if what they need is
 * here: the base, unless the chain would become too long (sqlite-schema.ts), or the shared
 * dictionary. Otherwise it is treated as any other.
 */
import { bug } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { encodeChunk } from './chunk-encoding.ts';
import type { Compression } from './compression.ts';
import { MAX_CHUNK_BYTES } from './contract.ts';
import {
  type DeltaBases,
  findBases,
  type PlannedBase,
  type PlannedObject,
} from './sqlite-bases.ts';
import type { Dictionaries, SharedDictionary } from './sqlite-dictionaries.ts';
import type { SqliteFile } from './sqlite-file.ts';
import type { ObjectEntry, ObjectReader } from './sqlite-reader.ts';
import { MOST_DELTAS } from './sqlite-schema.ts';
import type { ReceivedChunk } from './transfer.ts';

export interface PutPlan {
  /** `SqliteFile.version` when it was made. */
  readonly version: string;
  readonly fresh: readonly PlannedObject[];
  /** Objects that are there and must not be swept: put again, or the base of a new delta. */
  readonly relied: readonly ObjectEntry[];
  /** Ids of those that are put again. */
  readonly again: readonly number[];
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
  plan(chunks: readonly ReceivedChunk[]): PutPlan {
    const parts: PlanParts = { fresh: new Map(), relied: new Map(), again: new Set() };
    const absent = this.findAbsent(chunks, parts);
    const alone = absent.filter(({ like, encoded }) => like === undefined && encoded === undefined);
    const shared = this.dictionaries.choose(alone.map(({ bytes }) => bytes));
    for (const chunk of absent) {
      const planned = this.keepEncoded(chunk, parts) ?? this.planChunk(chunk, parts, shared);
      parts.fresh.set(chunk.hash, planned);
      if (typeof planned.base === 'number') this.relyOnBase(planned.base, parts.relied);
    }
    return {
      version: this.file.version(),
      fresh: [...parts.fresh.values()],
      relied: [...parts.relied.values()],
      again: [...parts.again],
    };
  }

  /** The chunks that are not there yet, each once; the others are noted as relied on. */
  private findAbsent(chunks: readonly ReceivedChunk[], parts: PlanParts): ReceivedChunk[] {
    const absent = new Map<Hash, ReceivedChunk>();
    for (const chunk of chunks) {
      if (chunk.bytes.length > MAX_CHUNK_BYTES) throw bug(`a chunk of ${chunk.bytes.length} bytes`);
      const entry = this.reader.find(chunk.hash);
      if (entry === undefined) absent.set(chunk.hash, absent.get(chunk.hash) ?? chunk);
      else {
        parts.relied.set(entry.id, entry);
        parts.again.add(entry.id);
      }
    }
    return [...absent.values()];
  }

  /** The chunk as it came, or undefined: that cannot be kept here. */
  private keepEncoded(chunk: ReceivedChunk, parts: PlanParts): PlannedObject | undefined {
    const { encoded, bytes } = chunk;
    if (encoded === undefined) return undefined;
    const { form, data } = encoded;
    if (form.kind === 'raw') return { chunk, data: bytes, encoding: 0, base: null };
    if (data.length >= bytes.length) return undefined;
    if (form.kind === 'zstd') return { chunk, data, encoding: 1, base: null };
    if (form.kind === 'shared') {
      const encoding = this.dictionaries.find(form.dictionary);
      return encoding && { chunk, data, encoding, base: null };
    }
    const base = this.findBases(form.base, parts);
    if (base === undefined || base.deltas >= MOST_DELTAS) return undefined;
    return { chunk, data, encoding: 1, base: base.of };
  }

  private planChunk(
    chunk: ReceivedChunk,
    parts: PlanParts,
    shared: SharedDictionary | undefined,
  ): PlannedObject {
    const bases = this.findBases(likeOf(chunk), parts);
    const base = bases && this.deltaBase(bases);
    const dictionary = bases === undefined ? shared : this.dictionaryOf(bases.keyframe);
    const { data, form } = encodeChunk(this.compression, chunk.bytes, base, dictionary?.prepared);
    if (form === 'near delta') return { chunk, data, encoding: 1, base: bases?.near ?? null };
    if (form === 'delta') return { chunk, data, encoding: 1, base: bases?.keyframe ?? null };
    const withDictionary = form === 'frame with dictionary' ? dictionary : undefined;
    return { chunk, data, encoding: withDictionary ?? (form === 'raw' ? 0 : 1), base: null };
  }

  private findBases(hash: Hash | undefined, { fresh }: PlanParts): DeltaBases | undefined {
    return hash === undefined ? undefined : findBases(hash, fresh, this.reader);
  }

  private deltaBase({ keyframe, near, nearSize, deltas }: DeltaBases) {
    return {
      bytes: this.bytesOf(keyframe),
      grown: deltas > 0,
      near: near === null ? undefined : { bytes: this.bytesOf(near), storedSize: nearSize },
    };
  }

  private bytesOf(base: PlannedBase): Uint8Array {
    return typeof base === 'number' ? this.reader.readId(base) : base.chunk.bytes;
  }

  private dictionaryOf(keyframe: PlannedBase): SharedDictionary | undefined {
    if (typeof keyframe === 'object') {
      return typeof keyframe.encoding === 'object' ? keyframe.encoding : undefined;
    }
    return this.dictionaries.readIfShared(this.reader.findEntry(keyframe)?.encoding ?? 0);
  }

  private relyOnBase(id: number, relied: Map<number, ObjectEntry>): void {
    const entry = relied.get(id) ?? this.reader.findEntry(id);
    if (entry !== undefined) relied.set(id, entry);
  }
}

/** What came as a delta is at least like its base. */
function likeOf({ like, encoded }: ReceivedChunk): Hash | undefined {
  if (like !== undefined || encoded?.form.kind !== 'delta') return like;
  return encoded.form.base;
}

/** What a chunk will be in the database, and which ones it may be a delta against. */
import type { Hash } from '../hash.ts';
import type { SharedDictionary } from './sqlite-dictionaries.ts';
import type { ObjectEntry, ObjectReader } from './sqlite-reader.ts';
import type { ReceivedChunk } from './transfer.ts';

export interface PlannedObject {
  readonly chunk: ReceivedChunk;
  readonly data: Uint8Array;
  readonly encoding: 0 | 1 | SharedDictionary;
  readonly base: PlannedBase | null;
}

/** A stored object's id, or one that is in the same plan. */
export type PlannedBase = number | PlannedObject;

export interface DeltaBases {
  /** The chunk itself. */
  readonly of: PlannedBase;
  /** How many deltas it takes to make it: 0 for a keyframe. */
  readonly deltas: number;
  readonly keyframe: PlannedBase;
  /** The delta against the keyframe that the chunk is, or is against. */
  readonly near: PlannedBase | null;
  /** Stored bytes of `near`. */
  readonly nearSize: number;
}

/** Undefined when the chunk is neither in the plan nor stored. */
export function findBases(
  hash: Hash,
  fresh: ReadonlyMap<Hash, PlannedObject>,
  reader: ObjectReader,
): DeltaBases | undefined {
  const of = fresh.get(hash) ?? reader.find(hash);
  if (of === undefined) return undefined;
  const chain = [of];
  // What is stored is checked elsewhere; here it only must come to an end.
  for (let base = baseOf(of, reader); base !== undefined; base = baseOf(base, reader)) {
    if (chain.push(base) > CHAIN) return undefined;
  }
  const near = chain.at(-2);
  return {
    of: asBase(of),
    deltas: chain.length - 1,
    keyframe: asBase(chain[chain.length - 1]),
    near: near === undefined ? null : asBase(near),
    nearSize: near === undefined ? 0 : 'size' in near ? near.size : near.data.length,
  };
}

/** A chunk, its base and that one's. */
const CHAIN = 3;

type Found = PlannedObject | ObjectEntry;

function baseOf({ base }: Found, reader: ObjectReader): Found | undefined {
  if (base === null) return undefined;
  return typeof base === 'number' ? reader.findEntry(base) : base;
}

function asBase(found: Found): PlannedBase {
  return 'id' in found ? found.id : found;
}

/**
 * Writes a plan (sqlite-plan.ts) under the lock. When anybody wrote since it was made, it is
 * made again under the lock, so that it never rests on a base that a gc has just removed,
 * nor stores what another process has just stored.
 *
 * A chunk that is there already is not written again, but it may have to be touched: a gc
 * must see that somebody relies on it (sqlite-sweep.ts). The same goes for a delta's base.
 */
import { hashToBytes } from '../hash.ts';
import type { PlannedBase, PlannedObject } from './sqlite-bases.ts';
import { type Counters, readCounters } from './sqlite-counters.ts';
import type { Dictionaries, SharedDictionary } from './sqlite-dictionaries.ts';
import type { SqliteFile } from './sqlite-file.ts';
import { packPages } from './sqlite-packing.ts';
import type { PutPlan, PutPlanner } from './sqlite-plan.ts';
import type { ObjectEntry, ObjectReader } from './sqlite-reader.ts';
import type { Transfers } from './sqlite-transfers.ts';
import type { ReceivedChunk } from './transfer.ts';

/** An object that is there already is touched again after this long, in ms. */
const TOUCH_AGAIN_MS = 60_000;

export class ObjectWriter {
  private readonly file: SqliteFile;
  private readonly reader: ObjectReader;
  private readonly planner: PutPlanner;
  private readonly dictionaries: Dictionaries;
  private readonly transfers: Transfers;
  private readonly now: () => number;

  constructor(
    file: SqliteFile,
    reader: ObjectReader,
    planner: PutPlanner,
    dictionaries: Dictionaries,
    transfers: Transfers,
    now: () => number,
  ) {
    this.file = file;
    this.reader = reader;
    this.planner = planner;
    this.dictionaries = dictionaries;
    this.transfers = transfers;
    this.now = now;
  }

  /**
   * Runs inside `SqliteFile.write`. With the name of a transfer what is new is stored as its
   * own; without, what was some transfer's counts from now on.
   */
  store(plan: PutPlan, chunks: readonly ReceivedChunk[], transfer?: string): void {
    const { fresh, relied, again } =
      plan.version === this.file.version() ? plan : this.planner.plan(chunks);
    const counters = readCounters(this.file);
    const ids = this.insert(fresh, counters.next_id);
    this.touch(relied, counters);
    if (transfer === undefined) this.transfers.settle(again);
    else this.transfers.note(transfer, ids, again);
  }

  private insert(fresh: readonly PlannedObject[], firstId: number): number[] {
    if (fresh.length === 0) return [];
    const order = packPages(fresh.map(({ data }) => data.length));
    const ids = new Map(order.map((index, place) => [fresh[index], firstId + place]));
    const encodings = this.storeDictionaries(fresh);
    const written = this.now();
    const statement = this.file.sql(
      `INSERT INTO objects (id, hash, base, encoding, kind, raw_size, written, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const [{ chunk, data, encoding, base }, id] of ids) {
      const { hash, bytes } = chunk;
      const entry = {
        id,
        base: idOfBase(base, ids),
        encoding: typeof encoding === 'object' ? (encodings.get(encoding) as number) : encoding,
        written,
        size: data.length,
      };
      statement.run(
        id,
        hashToBytes(hash),
        entry.base,
        entry.encoding,
        bytes[0] ?? 0,
        bytes.length,
        written,
        data,
      );
      this.reader.note(hash, entry);
    }
    this.file.sql('UPDATE counters SET next_id = ?').run(firstId + fresh.length);
    return [...ids.values()];
  }

  /** The id of every dictionary in the plan; new ones are stored. */
  private storeDictionaries(fresh: readonly PlannedObject[]): Map<SharedDictionary, number> {
    const ids = new Map<SharedDictionary, number>();
    for (const { encoding } of fresh) {
      if (typeof encoding !== 'object' || ids.has(encoding)) continue;
      ids.set(encoding, encoding.id ?? this.dictionaries.store(encoding));
    }
    return ids;
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
          `INSERT INTO touched (id, time, round) VALUES (?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET time = excluded.time, round = excluded.round
           WHERE round < excluded.round OR time <= ?`,
        )
        .run(id, time, gc_round, time - TOUCH_AGAIN_MS);
    }
  }
}

function idOfBase(
  base: PlannedBase | null,
  ids: ReadonlyMap<PlannedObject, number>,
): number | null {
  return base !== null && typeof base === 'object' ? (ids.get(base) as number) : base;
}

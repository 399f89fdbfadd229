/**
 * A store that counts what is asked of it, for tests of cost: how many calls, how many
 * chunks, and of which kinds. Everything else passes through.
 */
import type { Hash } from '../../src/hash.ts';
import type { ChunkToPut, Store } from '../../src/store/contract.ts';

export interface StoreCounts {
  getCalls: number;
  /** Hashes asked for. */
  gets: number;
  /** Chunks handed out, by their first byte. */
  readonly getsByKind: Map<number, number>;
  hasCalls: number;
  has: number;
  putCalls: number;
  /** Chunks put, with `putMany` or in a transaction. */
  puts: number;
  readonly putsByKind: Map<number, number>;
  /** Raw bytes put. */
  putBytes: number;
  transactCalls: number;
}

export interface CountingStore<S extends Store> {
  readonly store: S;
  readonly counts: StoreCounts;
  /** Sets every count to zero. */
  reset(): void;
}

export function countingStore<S extends Store>(inner: S): CountingStore<S> {
  const counts = noCounts();
  const countPuts = (chunks: readonly ChunkToPut[]) => {
    counts.puts += chunks.length;
    for (const { bytes } of chunks) {
      counts.putBytes += bytes.length;
      addKind(counts.putsByKind, bytes);
    }
  };
  const counted: Pick<Store, 'getMany' | 'hasMany' | 'putMany' | 'transact'> = {
    async getMany(hashes: readonly Hash[]) {
      counts.getCalls += 1;
      counts.gets += hashes.length;
      const chunks = await inner.getMany(hashes);
      for (const bytes of chunks) if (bytes !== undefined) addKind(counts.getsByKind, bytes);
      return chunks;
    },
    hasMany(hashes) {
      counts.hasCalls += 1;
      counts.has += hashes.length;
      return inner.hasMany(hashes);
    },
    putMany(chunks) {
      counts.putCalls += 1;
      countPuts(chunks);
      return inner.putMany(chunks);
    },
    transact(transaction, chunks) {
      counts.transactCalls += 1;
      countPuts(chunks ?? []);
      return inner.transact(transaction, chunks);
    },
  };
  const reset = () => {
    counts.getsByKind.clear();
    counts.putsByKind.clear();
    const { getsByKind, putsByKind } = counts;
    Object.assign(counts, noCounts(), { getsByKind, putsByKind });
  };
  return { store: overlay(inner, counted), counts, reset };
}

/** `inner` with some methods replaced. */
export function overlay<S extends Store>(inner: S, methods: Partial<Store>): S {
  return new Proxy(inner, {
    get(target, name) {
      const own = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

function noCounts(): StoreCounts {
  return {
    getCalls: 0,
    gets: 0,
    getsByKind: new Map(),
    hasCalls: 0,
    has: 0,
    putCalls: 0,
    puts: 0,
    putsByKind: new Map(),
    putBytes: 0,
    transactCalls: 0,
  };
}

function addKind(kinds: Map<number, number>, bytes: Uint8Array): void {
  const kind = bytes[0] ?? 0;
  kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
}

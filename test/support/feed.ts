/** A store whose branches move fast: commits without files, and who watches them. */

import type { Hash } from '../../src/hash.ts';
import { FeedHub } from '../../src/live/hub.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { encodeCommit, toChunk } from '../../src/model/objects.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { EMPTY_TREE } from '../../src/prolly/node-writer.ts';
import type { Store } from '../../src/store/contract.ts';

export const FEED_EPOCH = '0123456789abcdef';

let made = 0;

/** One more commit on a branch; its parents are the branch's head and `merged`. */
export async function commitTo(
  store: Store,
  branch: string,
  options: {
    readonly root?: Hash;
    readonly merged?: readonly Hash[];
    readonly moves?: boolean;
    readonly on?: Hash;
    readonly message?: string;
  } = {},
): Promise<Hash> {
  const name = `refs/heads/${branch}`;
  const { root = EMPTY_TREE, merged = [], moves = true } = options;
  const old = (await store.getRef(name)) ?? null;
  const on = options.on ?? old;
  const parents = [...(on === null ? [] : [on]), ...merged];
  made += 1;
  const time = 1_700_000_000_000 + made;
  const person = { name: 'Ada', email: 'ada@example.org', time, zone: 0 };
  let generation = 1;
  for (const parent of parents) {
    generation = Math.max(generation, (await readCommit(store, parent)).generation + 1);
  }
  const chunk = toChunk(
    encodeCommit({
      root,
      parents,
      author: person,
      committer: person,
      message: options.message ?? `commit ${made}`,
      clock: { ms: time, counter: 0, node: 'test' },
      generation,
      extra: {},
    }),
  );
  const refs = moves ? [{ name, old, new: chunk.hash }] : [];
  const log = { actor: 'Ada', time, message: 'commit' };
  const result = await store.transact({ refs, log }, [chunk]);
  if (!result.done) throw new Error(`the test lost a race for ${result.name}`);
  return chunk.hash;
}

export async function moveBranch(store: Store, branch: string, to: Hash | null): Promise<void> {
  const name = `refs/heads/${branch}`;
  const old = (await store.getRef(name)) ?? null;
  const log = { actor: 'Ada', time: 1_700_000_000_000, message: 'move' };
  const result = await store.transact({ refs: [{ name, old, new: to }], log });
  if (!result.done) throw new Error(`the test lost a race for ${result.name}`);
}

export function openHub(store: Store): FeedHub {
  return new FeedHub(store, new NodeStore(store), {
    randomId: () => FEED_EPOCH,
    now: () => 1_700_000_000_000,
  });
}

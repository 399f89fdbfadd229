/** A follower against the refs' own history, however it is cut and however slow it is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { commitRange } from '../../src/live/commit-range.ts';
import type { FeedEvent, FeedSource, WatchOptions } from '../../src/live/contract.ts';
import {
  type FollowPosition,
  formatPosition,
  parsePosition,
} from '../../src/live/follow-position.ts';
import { follow } from '../../src/live/follower.ts';
import type { FeedHub } from '../../src/live/hub.ts';
import { LocalFeedSource } from '../../src/live/local-source.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { commitTo, moveBranch, openHub } from '../support/feed.ts';

/** As a server's stream to a slow reader: conflates before every `n`-th take. */
class SlowSource implements FeedSource {
  readonly url = 'slow';
  private readonly hub: FeedHub;
  private readonly every: number;
  constructor(hub: FeedHub, every: number) {
    this.hub = hub;
    this.every = every;
  }
  async *events({ since, signal, patterns }: WatchOptions): AsyncGenerator<FeedEvent> {
    const { subscription, reset } = await this.hub.subscribe({ patterns }, since);
    try {
      if (reset !== undefined) yield reset;
      for (let turn = 1; !signal.aborted; turn++) {
        if (turn % this.every === 0) await subscription.conflate();
        for (const item of await subscription.take(2)) {
          const event = await item.event();
          if (event !== undefined) yield event;
        }
        if (subscription.hasMore) continue;
        yield this.hub.bookmark(subscription.position);
        await subscription.wait();
      }
    } finally {
      subscription.close();
    }
  }
  async *changes() {}
  commitsBetween(from: Hash | null, to: Hash) {
    return commitRange(this.hub.nodes, from, to, false);
  }
  async close() {}
}

type Step =
  | { readonly kind: 'commit'; readonly branch: number }
  | { readonly kind: 'push'; readonly branch: number; readonly commits: number }
  | { readonly kind: 'merge'; readonly branch: number; readonly other: number }
  | { readonly kind: 'read'; readonly outputs: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('commit' as const), branch: fc.nat(2) }) },
  fc.record({
    kind: fc.constant('push' as const),
    branch: fc.nat(2),
    commits: fc.integer({ min: 2, max: 4 }),
  }),
  fc.record({ kind: fc.constant('merge' as const), branch: fc.nat(2), other: fc.nat(2) }),
  // Reads so many outputs, and is killed behind the last.
  fc.record({ kind: fc.constant('read' as const), outputs: fc.integer({ min: 1, max: 6 }) }),
);

async function readSome(
  source: FeedSource,
  from: FollowPosition,
  most: number,
  told: Map<string, Hash[]>,
): Promise<FollowPosition> {
  const abort = new AbortController();
  let position = from;
  let outputs = 0;
  try {
    const options = { from, everyCommit: true, signal: abort.signal };
    for await (const { event, position: behind } of follow(source, options)) {
      if (event.type === 'commit') {
        told.set(event.ref, [...(told.get(event.ref) ?? []), event.new]);
      }
      // As through a cursor file.
      position = parsePosition(formatPosition(behind));
      outputs += 1;
      if (outputs >= most || event.type === 'bookmark') break;
    }
  } finally {
    abort.abort();
  }
  return position;
}

describe('a follower', () => {
  test.each([
    ['of a local repository', (hub: FeedHub) => new LocalFeedSource('local', hub)],
    ['of a stream that conflates always', (hub: FeedHub) => new SlowSource(hub, 1)],
    ['of a stream that conflates now and then', (hub: FeedHub) => new SlowSource(hub, 3)],
  ])('%s is told every commit of every ref once', async (_, open) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = createMemoryStore();
        const hub = openHub(store);
        const names = ['a', 'b', 'c'];
        const begun = new Map<string, Hash>();
        for (const name of names) begun.set(name, await commitTo(store, name));
        const source = open(hub);
        const told = new Map<string, Hash[]>();
        const first = await hub.subscribe({});
        let position: FollowPosition = {
          cursor: hub.cursorOf(first.subscription.position),
          done: new Map(),
        };
        first.subscription.close();
        for (const action of steps) {
          if (action.kind === 'read') {
            // Something is there to be read, so that reading ends.
            await commitTo(store, 'a');
            position = await readSome(source, position, action.outputs, told);
          } else if (action.kind === 'commit') await commitTo(store, names[action.branch]);
          else if (action.kind === 'push') {
            let on = (await store.getRef(`refs/heads/${names[action.branch]}`)) as Hash;
            for (let i = 0; i < action.commits; i++) {
              on = await commitTo(store, names[action.branch], { on, moves: false });
            }
            await moveBranch(store, names[action.branch], on);
          } else if (action.other !== action.branch) {
            const merged = (await store.getRef(`refs/heads/${names[action.other]}`)) as Hash;
            await commitTo(store, names[action.branch], { merged: [merged] });
          }
        }
        position = await readSome(source, position, Number.POSITIVE_INFINITY, told);
        expect(position.done.size).toBe(0);
        for (const name of names) {
          const head = (await store.getRef(`refs/heads/${name}`)) as Hash;
          const expected: Hash[] = [];
          for await (const { hash } of commitRange(
            hub.nodes,
            begun.get(name) as Hash,
            head,
            false,
          )) {
            expected.push(hash);
          }
          expect(told.get(`refs/heads/${name}`) ?? []).toEqual(expected);
        }
        await hub.close();
      }),
      { numRuns: 150 },
    );
  });
});

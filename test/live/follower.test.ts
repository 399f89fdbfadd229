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
import type { NodeStore } from '../../src/prolly/node-store.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Schema } from '../../src/tuple/schema.ts';
import { commitTo, moveBranch, openHub } from '../support/feed.ts';
import { rootWith } from '../support/merge-scene.ts';

/** As a server's stream to a slow reader: conflates before every `n`-th take. */
class SlowSource implements FeedSource {
  readonly url = 'slow';
  private readonly hub: FeedHub;
  private readonly every: number;
  constructor(hub: FeedHub, every: number) {
    this.hub = hub;
    this.every = every;
  }
  async *events(options: WatchOptions): AsyncGenerator<FeedEvent> {
    const { since, signal, patterns, tables } = options;
    const { subscription, reset } = await this.hub.subscribe({ patterns, tables }, since);
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
  commitsBetween(from: Hash | null, to: Hash, { counts = false } = {}) {
    return commitRange(this.hub.nodes, from, to, counts);
  }
  async close() {}
}

/** `rows`: which of the contents of the table a commit has. */
type Step =
  | { readonly kind: 'commit'; readonly branch: number; readonly rows: number }
  | { readonly kind: 'push'; readonly branch: number; readonly commits: number }
  | { readonly kind: 'merge'; readonly branch: number; readonly other: number }
  | { readonly kind: 'read'; readonly outputs: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      branch: fc.nat(2),
      rows: fc.nat(2),
    }),
  },
  fc.record({
    kind: fc.constant('push' as const),
    branch: fc.nat(2),
    commits: fc.integer({ min: 2, max: 4 }),
  }),
  fc.record({ kind: fc.constant('merge' as const), branch: fc.nat(2), other: fc.nat(2) }),
  // Reads so many outputs, and is killed behind the last.
  fc.record({ kind: fc.constant('read' as const), outputs: fc.integer({ min: 1, max: 6 }) }),
);

/** What was told as one, under one cursor, is told again one by one, between others. */
const toldInAnotherOrder: Step[] = [
  { kind: 'merge', branch: 0, other: 1 },
  { kind: 'commit', branch: 0, rows: 0 },
  { kind: 'commit', branch: 0, rows: 0 },
  { kind: 'read', outputs: 1 },
  { kind: 'commit', branch: 0, rows: 0 },
  { kind: 'push', branch: 1, commits: 2 },
  { kind: 'read', outputs: 6 },
];

async function readSome(
  source: FeedSource,
  from: FollowPosition,
  most: number,
  told: Map<string, Hash[]>,
  tables?: readonly string[],
): Promise<FollowPosition> {
  const abort = new AbortController();
  let position = from;
  let outputs = 0;
  try {
    const options = { from, everyCommit: true, tables, signal: abort.signal };
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

const NAMES = ['a', 'b', 'c'];
const SCHEMA: Schema = { columns: [{ name: 'id', type: 'text' }], key: [0] };

/** Roots with a table of none, one and two rows. */
const rootsOf = (nodes: NodeStore): Promise<Hash[]> =>
  Promise.all(
    [[], [['1']], [['1'], ['2']]].map((rows) =>
      rootWith(nodes, rows.length === 0 ? null : { schema: SCHEMA, rows }),
    ),
  );

async function act(store: Store, action: Step, roots: readonly Hash[]): Promise<void> {
  if (action.kind === 'read') return;
  const name = NAMES[action.branch];
  if (action.kind === 'commit') {
    await commitTo(store, name, { root: roots[action.rows] });
  } else if (action.kind === 'push') {
    let on = (await store.getRef(`refs/heads/${name}`)) as Hash;
    for (let i = 0; i < action.commits; i++) {
      on = await commitTo(store, name, { on, moves: false, root: roots[i % roots.length] });
    }
    await moveBranch(store, name, on);
  } else if (action.other !== action.branch) {
    const merged = (await store.getRef(`refs/heads/${NAMES[action.other]}`)) as Hash;
    await commitTo(store, name, { merged: [merged] });
  }
}

/** What a branch got, in order; with tables, of those commits that changed one. */
async function expectedOf(
  nodes: NodeStore,
  from: Hash,
  to: Hash,
  tables?: readonly string[],
): Promise<Hash[]> {
  const found: Hash[] = [];
  for await (const commit of commitRange(nodes, from, to, true)) {
    const touched = (commit.tables ?? []).some(({ table }) => tables?.includes(table));
    if (tables === undefined || touched) found.push(commit.hash);
  }
  return found;
}

async function checkFollowing(
  open: (hub: FeedHub) => FeedSource,
  steps: readonly Step[],
  tables?: readonly string[],
): Promise<void> {
  const store = createMemoryStore();
  const hub = openHub(store);
  const roots = await rootsOf(hub.nodes);
  const begun = new Map<string, Hash>();
  for (const name of NAMES) begun.set(name, await commitTo(store, name));
  const source = open(hub);
  const told = new Map<string, Hash[]>();
  const first = await hub.subscribe({});
  const cursor = hub.cursorOf(first.subscription.position);
  let position: FollowPosition = { cursor, done: new Map() };
  first.subscription.close();
  for (const action of steps) {
    await act(store, action, roots);
    if (action.kind !== 'read') continue;
    // Something is there to be read, so that reading ends.
    await commitTo(store, 'a');
    position = await readSome(source, position, action.outputs, told, tables);
  }
  position = await readSome(source, position, Number.POSITIVE_INFINITY, told, tables);
  expect(position.done.size).toBe(0);
  for (const name of NAMES) {
    const head = (await store.getRef(`refs/heads/${name}`)) as Hash;
    const expected = await expectedOf(hub.nodes, begun.get(name) as Hash, head, tables);
    expect(told.get(`refs/heads/${name}`) ?? []).toEqual(expected);
  }
  await hub.close();
}

describe.each([
  ['of a local repository', (hub: FeedHub) => new LocalFeedSource('local', hub)],
  ['of a stream that conflates always', (hub: FeedHub) => new SlowSource(hub, 1)],
  ['of a stream that conflates now and then', (hub: FeedHub) => new SlowSource(hub, 3)],
])('a follower %s', (_, open) => {
  test('is told every commit of every ref once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) => checkFollowing(open, steps)),
      { numRuns: 150, examples: [[toldInAnotherOrder]] },
    );
  });

  test('of one table is told every commit that changed it once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) =>
        checkFollowing(open, steps, ['t.csv']),
      ),
      { numRuns: 150 },
    );
  });
});

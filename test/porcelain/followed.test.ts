/** What follows a remote goes along with the events of its feed, many at once. */
import { describe, expect, test } from 'vitest';
import { packOfChange } from '../../src/live/change-pack.ts';
import type { CommitEvent, FeedEvent, FeedSource } from '../../src/live/contract.ts';
import { FeedItem } from '../../src/live/feed-item.ts';
import { createRowWriter } from '../../src/live/writer.ts';
import { RemoteFollower } from '../../src/porcelain/follow-remote.ts';
import { followed } from '../../src/porcelain/followed.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { defaultFetchSpec } from '../../src/sync/refspec.ts';
import { FEED_EPOCH } from '../support/feed.ts';
import { temporaryRepository, testEnvironment } from '../support/repository.ts';
import { remoteOver } from '../support/sync-scene.ts';

const TRACKING = 'refs/remotes/origin/main';

/** A store with so many commits of rows on `main`. */
async function write(store: Store, commits: number): Promise<void> {
  const env = testEnvironment();
  const writer = createRowWriter(store, env);
  for (let id = 0; id < commits; id++) {
    const cells = { id: String(id % 50), text: `row ${id}` };
    await writer.write({
      branch: 'main',
      tables: [{ table: 't', key: ['id'], writes: [{ op: 'upsert', cells }] }],
      message: `row ${id}`,
      author: { name: 'Ada', email: '' },
    });
  }
  await writer.close();
}

/** The feed of a store as a server sends it, with packs, all of it at once. */
async function eventsOf(store: Store): Promise<CommitEvent[]> {
  const { entries } = await store.readFeed(0, 1000);
  const events: CommitEvent[] = [];
  for (const entry of entries) {
    const item = new FeedItem(new NodeStore(store), `${FEED_EPOCH}.${entry.sequence}`, entry);
    const event = await item.event();
    if (event?.type !== 'commit') throw new Error('the test made only commits');
    events.push({ ...event, pack: await packOfChange(store, entry.old, event.new) });
  }
  return events;
}

function sourceOf(events: readonly FeedEvent[]): FeedSource {
  const none = async function* () {};
  return {
    url: 'there',
    async *events() {
      yield* events;
    },
    changes: none,
    commitsBetween: none,
    close: async () => {},
  };
}

async function scene(commits: number) {
  const there = createMemoryStore();
  await write(there, commits);
  // an hour later, as its clock moves in steps of its own
  const here = await temporaryRepository(testEnvironment(Date.UTC(2026, 0, 1, 1)));
  const url = 'there';
  const fetch = [defaultFetchSpec('origin')];
  const config = { name: 'origin', url, pushUrl: url, fetch, prune: false, tags: 'none' } as const;
  const follower = new RemoteFollower(here.repo, remoteOver(there), config);
  return { here, follower, events: await eventsOf(there) };
}

/** Plays the events; whom each was told to find the ref at. */
async function play(
  follower: RemoteFollower,
  store: Store,
  events: readonly FeedEvent[],
  oneByOne = false,
) {
  const told: { readonly event: FeedEvent; readonly at: string | undefined }[] = [];
  const source = followed(sourceOf(events), follower, { moved: () => {}, oneByOne });
  let error: unknown;
  try {
    for await (const event of source.events({ signal: new AbortController().signal })) {
      told.push({ event, at: await store.getRef(TRACKING) });
    }
  } catch (caught) {
    error = caught;
  }
  return { told, error };
}

describe('a followed feed', () => {
  test('keeps every step, tells every event once, and none before its commit is here', async () => {
    const { here, follower, events } = await scene(40);
    await using _ = here;
    const { store } = here.repo;
    const { told, error } = await play(follower, store, events);
    expect(error).toBeUndefined();
    expect(told.map(({ event }) => event)).toEqual(events);
    const reached = events.map((event) => event.new);
    for (const [i, { at }] of told.entries())
      expect(reached.indexOf(at as never)).toBeGreaterThanOrEqual(i);
    const steps = (await store.readLog(TRACKING, 1000)).reverse();
    expect(steps.map((step) => step.new)).toEqual(reached);
    expect(steps.map((step) => step.old)).toEqual([null, ...reached.slice(0, -1)]);
    // They waited together, so they were made durable together.
    expect(told[0].at).not.toBe(reached[0]);
  });

  test('goes along one by one where the ref is looked at', async () => {
    const { here, follower, events } = await scene(10);
    await using _ = here;
    const { told, error } = await play(follower, here.repo.store, events, true);
    expect(error).toBeUndefined();
    expect(told.map(({ at }) => at)).toEqual(events.map((event) => event.new));
  });

  test('passes over what is here, wherever it begins again', async () => {
    const { here, follower, events } = await scene(12);
    await using _ = here;
    const { store } = here.repo;
    await play(follower, store, events.slice(0, 8));
    const { told, error } = await play(follower, store, events.slice(3));
    expect(error).toBeUndefined();
    expect(told.map(({ event }) => event)).toEqual(events.slice(3));
    const steps = (await store.readLog(TRACKING, 1000)).reverse();
    expect(steps.map((step) => step.new)).toEqual(events.map((event) => event.new));
  });

  test('a pack that is refused keeps nothing before it from being told', async () => {
    const { here, follower, events } = await scene(10);
    await using _ = here;
    const { store } = here.repo;
    const bad = Buffer.from(events[6].pack as Uint8Array);
    bad[bad.length - 1] ^= 1;
    const sent = events.map((event, i) => (i === 6 ? { ...event, pack: bad } : event));
    const { told, error } = await play(follower, store, sent);
    expect((error as { code?: string }).code).toBe('bad-pack');
    expect(told.map(({ event }) => event)).toEqual(events.slice(0, 6));
    expect(await store.getRef(TRACKING)).toBe(events[5].new);
  });
});

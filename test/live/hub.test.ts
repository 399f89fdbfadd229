/** The feed of one store to many watchers. */
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CommitEvent } from '../../src/live/contract.ts';
import type { FeedItem } from '../../src/live/feed-item.ts';
import { matchesGlob, wantsRef } from '../../src/live/ref-patterns.ts';
import type { FeedSubscription } from '../../src/live/subscription.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { commitTo, FEED_EPOCH, moveBranch, openHub } from '../support/feed.ts';

function scene() {
  const store = createMemoryStore();
  const hub = openHub(store);
  onTestFinished(() => hub.close());
  return { store, hub };
}

async function takeAll(subscription: FeedSubscription): Promise<FeedItem[]> {
  const items: FeedItem[] = [];
  while (subscription.hasMore) items.push(...(await subscription.take()));
  return items;
}

describe('a watcher', () => {
  test('is told what comes from now on, each change once, in order', async () => {
    const { store, hub } = scene();
    await commitTo(store, 'main');
    const { subscription, reset } = await hub.subscribe({});
    expect(reset).toBeUndefined();
    const hashes = [await commitTo(store, 'main'), await commitTo(store, 'other')];
    for (let got = 0; got < 2; ) {
      await subscription.wait();
      for (const item of await subscription.take()) expect(item.entry.new).toBe(hashes[got++]);
    }
    expect(subscription.lag).toBe(0);
  });

  test('goes on from any sequence that is kept', async () => {
    const { store, hub } = scene();
    for (let i = 0; i < 30; i++) await commitTo(store, 'main');
    for (let since = 0; since <= 30; since++) {
      const { subscription, reset } = await hub.subscribe({}, `${FEED_EPOCH}.${since}`);
      expect(reset).toBeUndefined();
      const items = await takeAll(subscription);
      expect(items.map(({ entry }) => entry.sequence)).toEqual(
        Array.from({ length: 30 - since }, (_, i) => since + 1 + i),
      );
      subscription.close();
    }
  });

  test('begins anew, with the heads, behind a cursor of another feed or of the future', async () => {
    const { store, hub } = scene();
    const hash = await commitTo(store, 'main');
    for (const since of [`fedcba9876543210.1`, `${FEED_EPOCH}.2`]) {
      const { reset } = await hub.subscribe({}, since);
      expect(reset).toEqual({
        type: 'reset',
        id: `${FEED_EPOCH}.1`,
        heads: [{ ref: 'refs/heads/main', hash }],
      });
    }
    await expect(hub.subscribe({}, 'yesterday')).rejects.toMatchObject({ code: 'bad-cursor' });
  });

  test('that was slow gets one event a ref, and the cursor only with the last', async () => {
    const { store, hub } = scene();
    const old = await commitTo(store, 'a');
    await commitTo(store, 'gone');
    const { subscription } = await hub.subscribe({});
    for (let i = 0; i < 2500; i++) await commitTo(store, i % 2 === 0 ? 'a' : 'b');
    await moveBranch(store, 'gone', null);
    while (subscription.lag < 2501) await new Promise((resolve) => setImmediate(resolve));
    await subscription.conflate();
    const items = await takeAll(subscription);
    const events = (await Promise.all(items.map((item) => item.event()))) as CommitEvent[];
    const [a, began, b, gone] = events;
    expect(events).toHaveLength(4);
    expect(a).toMatchObject({ ref: 'refs/heads/a', old, skipped: 1249, more: true });
    expect(began).toMatchObject({ ref: 'refs/heads/b', old: null, skipped: 0, more: true });
    expect(b).toMatchObject({ ref: 'refs/heads/b', old: began.new, skipped: 1248, more: true });
    expect(gone).toMatchObject({ type: 'ref-deleted', ref: 'refs/heads/gone' });
    expect(gone.more).toBeUndefined();
    expect(a.new).toBe(await store.getRef('refs/heads/a'));
    expect([a.id, began.id, b.id]).toEqual(Array(3).fill(`${FEED_EPOCH}.2`));
    expect(gone.id).toBe(`${FEED_EPOCH}.2503`);
  });

  test('is told, though the one before it left at the moment it came', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { store, hub } = scene();
      const before = await hub.subscribe({});
      const coming = hub.subscribe({});
      for (let i = 0; i < turns; i++) await Promise.resolve();
      before.subscription.close();
      const { subscription } = await coming;
      const hash = await commitTo(store, 'main');
      const told = subscription.wait().then(() => subscription.take());
      const late = new Promise((resolve) => setTimeout(resolve, 2000, `not after ${turns} turns`));
      expect(await Promise.race([told, late])).toMatchObject([{ entry: { new: hash } }]);
    }
  });

  test('shares what is made of an event with all others', async () => {
    const { store, hub } = scene();
    const watchers = await Promise.all(Array.from({ length: 50 }, () => hub.subscribe({})));
    await commitTo(store, 'main');
    let makings = 0;
    const make = async () => {
      makings += 1;
      return Buffer.from('event');
    };
    for (const { subscription } of watchers) {
      await subscription.wait();
      for (const item of await subscription.take()) {
        expect(await hub.bytes(item, 'sse', make)).toEqual(Buffer.from('event'));
      }
    }
    expect(makings).toBe(1);
  });
});

describe('a pattern', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });
  test('matches as its regular expression would', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 6 });
    fc.assert(
      fc.property(letters, pattern, (name, glob) => {
        const source = glob.replaceAll('*', '.*').replaceAll('?', '.');
        expect(matchesGlob(name, glob)).toBe(new RegExp(`^${source}$`).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test('names branches, or any ref in full; without one branches and tags', () => {
    expect(wantsRef('refs/heads/main', ['main'])).toBe(true);
    expect(wantsRef('refs/tags/main', ['main'])).toBe(false);
    expect(wantsRef('refs/tags/v1', ['refs/tags/*'])).toBe(true);
    expect(wantsRef('refs/tags/v1')).toBe(true);
    expect(wantsRef('refs/remotes/origin/main')).toBe(false);
  });
});

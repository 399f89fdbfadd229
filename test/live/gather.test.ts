/** Events taken as many together as are there. */
import { describe, expect, test } from 'vitest';
import type { FeedEvent, WatchOptions } from '../../src/live/contract.ts';
import { gatherEvents } from '../../src/live/gather.ts';
import { LocalFeedSource } from '../../src/live/local-source.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { commitTo, openHub } from '../support/feed.ts';

const told = (events: readonly FeedEvent[]) =>
  events.flatMap((event) => (event.type === 'commit' ? [event.new] : []));

describe('gatherEvents', () => {
  test('gives what waits together, in order, and is never far ahead', async () => {
    const store = createMemoryStore();
    const source = new LocalFeedSource('here', openHub(store));
    const abort = new AbortController();
    const lists = gatherEvents(source, { signal: abort.signal });
    await lists.next(); // a bookmark: it watches
    const made: string[] = [];
    for (let i = 0; i < 200; i++) made.push(await commitTo(store, 'main'));
    const got: string[] = [];
    const sizes: number[] = [];
    while (got.length < made.length) {
      const { value = [] } = await lists.next();
      sizes.push(value.length);
      got.push(...told(value));
    }
    expect(got).toEqual(made);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
    abort.abort();
    for (let rest = await lists.next(); !rest.done; rest = await lists.next()) {
      expect(told(rest.value)).toEqual([]);
    }
    await source.close();
  });

  test('tells a failure behind the events before it', async () => {
    const event: FeedEvent = { type: 'reset', id: '0123456789abcdef.1', heads: [] };
    const source = {
      async *events() {
        yield event;
        yield event;
        throw new Error('cut');
      },
    };
    const lists = gatherEvents(source, { signal: new AbortController().signal });
    expect(await lists.next()).toEqual({ done: false, value: [event, event] });
    await expect(lists.next()).rejects.toThrow('cut');
  });

  test('ends the source when nobody listens any more', async () => {
    let ended = false;
    const source = {
      async *events({ signal }: WatchOptions): AsyncGenerator<FeedEvent> {
        yield { type: 'reset', id: '0123456789abcdef.1', heads: [] };
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        ended = true;
      },
    };
    for await (const list of gatherEvents(source, { signal: new AbortController().signal })) {
      expect(list).toHaveLength(1);
      break;
    }
    expect(ended).toBe(true);
  });
});

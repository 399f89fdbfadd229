/** Hybrid logical clocks: behind everything seen, whatever the wall clock says. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import {
  clockUpdate,
  compareClocks,
  formatClock,
  latestClock,
  MAX_AHEAD_MS,
  nextClock,
  parseClock,
  readClock,
  refuseAhead,
} from '../../src/model/clock.ts';
import type { Clock } from '../../src/model/objects.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

const clock: fc.Arbitrary<Clock> = fc.record({
  ms: fc.nat(1000),
  counter: fc.nat(5),
  node: fc.constantFrom('0a', 'ff00'),
});

it('a stamp is later than all before it, and no earlier than the wall clock', () => {
  fc.assert(
    fc.property(fc.array(clock), fc.nat(1000), (seen, now) => {
      const next = nextClock(latestClock(seen), now, 'aa');
      expect(seen.every((other) => compareClocks(other, next) < 0)).toBe(true);
      expect(next.ms).toBeGreaterThanOrEqual(now);
    }),
  );
});

it('is written and read back the same, and what is no clock is none', () => {
  fc.assert(
    fc.property(clock, (one) => {
      expect(parseClock(formatClock(one))).toEqual(one);
    }),
  );
  for (const text of ['', '1.2', '1.2.', '-1.2.aa', '1.2.xyz', '1.2.aa ', '1.2.aa.3']) {
    expect(parseClock(text)).toBeUndefined();
  }
});

it('is kept in the state', async () => {
  const store = createMemoryStore();
  expect(await readClock(store)).toBeUndefined();
  const kept = { ms: 5, counter: 7, node: 'aa' };
  await store.transact({ state: [clockUpdate(kept)] });
  expect(await readClock(store)).toEqual(kept);
});

it('refuses a stamp more than a minute ahead', () => {
  const commit = 'ab'.repeat(32) as Hash;
  const refused = (ms: number) => refuseAhead({ commit, ms }, 1000)?.code;
  expect(refused(1000 + MAX_AHEAD_MS)).toBeUndefined();
  expect(refused(1001 + MAX_AHEAD_MS)).toBe('clock-ahead');
});

/** Cursors: text and back, and one epoch however many ask for it at once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { feedEpoch, formatCursor, parseCursor } from '../../src/model/cursor.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

const EPOCH = /^[0-9a-f]{16}$/;

test('a cursor comes back from its text', () => {
  const cursor = fc.record({
    epoch: fc.stringMatching(EPOCH),
    sequence: fc.integer({ min: 0, max: 999_999_999_999_999 }),
  });
  const holds = fc.property(cursor, (one) => {
    expect(parseCursor(formatCursor(one))).toEqual(one);
  });
  fc.assert(holds);
});

test.each(['', 'x', '0123456789abcdef', '0123456789abcdef.-1', '0123456789abcdef.01', 'main'])(
  '%j is no cursor',
  (text) => expect(() => parseCursor(text)).toThrow('is no cursor'),
);

test('a store has one epoch, whoever asks first', async () => {
  const store = createMemoryStore();
  let made = 0;
  const randomId = () => String(++made).padStart(16, '0');
  const found = await Promise.all([1, 2, 3].map(() => feedEpoch(store, randomId)));
  expect(new Set(found).size).toBe(1);
  expect(await feedEpoch(store, () => 'f'.repeat(16))).toBe(found[0]);
});

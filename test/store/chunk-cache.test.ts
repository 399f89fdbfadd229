/** The cache never holds more than its limit, and lets go of what was used longest ago. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkCache } from '../../src/store/chunk-cache.ts';

const LIMIT = 100;
const operation = fc.record({
  id: fc.nat(9),
  size: fc.option(fc.integer({ min: 0, max: 120 })),
});

describe('chunk cache', () => {
  it('agrees with a list in order of use', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const cache = new ChunkCache(LIMIT);
        let list: { id: number; bytes: Uint8Array }[] = [];
        for (const { id, size } of operations) {
          const held = list.find((entry) => entry.id === id);
          if (size === null) {
            expect(cache.get(id)).toBe(held?.bytes);
            if (held === undefined) continue;
          }
          list = list.filter((entry) => entry !== held);
          const bytes = size === null ? held!.bytes : new Uint8Array(size);
          if (size !== null) cache.set(id, bytes);
          list.push({ id, bytes });
          while (list.reduce((sum, entry) => sum + entry.bytes.length, 0) > LIMIT) list.shift();
        }
        for (const { id, bytes } of list) expect(cache.get(id)).toBe(bytes);
        for (let id = 0; id < 10; id++) {
          if (!list.some((entry) => entry.id === id)) expect(cache.get(id)).toBeUndefined();
        }
      }),
    );
  });
});

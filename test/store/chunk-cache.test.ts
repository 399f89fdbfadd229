/** The cache never holds more than its limit, and what was used lately is there. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkCache } from '../../src/store/chunk-cache.ts';

const LIMIT = 100;
/** A chunk of an id is always the same; `put`: else it is asked for. */
const operation = fc.record({ id: fc.nat(9), put: fc.boolean() });
const sizes = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 10, maxLength: 10 });

describe('chunk cache', () => {
  it('holds what was used within half its limit, right chunks, and no more than the limit', () => {
    fc.assert(
      fc.property(sizes, fc.array(operation, { maxLength: 60 }), (lengths, operations) => {
        const chunks = lengths.map((length) => new Uint8Array(length));
        const cache = new ChunkCache(LIMIT);
        /** Those put or found, the last one first. */
        let used: number[] = [];
        for (const { id, put } of operations) {
          if (put) cache.set(id, chunks[id]);
          const found = cache.get(id);
          expect([chunks[id], undefined]).toContain(found);
          const since = put ? [] : used.slice(0, used.indexOf(id));
          const lately = [...since, id].reduce((sum, one) => sum + lengths[one], 0);
          if ((put || used.includes(id)) && lately <= LIMIT / 2) expect(found).toBe(chunks[id]);
          if (found !== undefined) used = [id, ...used.filter((one) => one !== id)];
          expect(cache.size).toBeLessThanOrEqual(LIMIT);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

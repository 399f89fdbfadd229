/** The bounded memory of a walk: never remembers what it has not met, and the latest always. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { hashOf } from '../../src/hash.ts';
import { RecentHashes } from '../../src/model/recent-hashes.ts';

const POOL = Array.from({ length: 20 }, (_, i) => hashOf(Buffer.from([i])));

it('agrees with a list of all that was met, as far back as it promises', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.array(fc.nat(19)), (limit, met) => {
      const recent = new RecentHashes(limit);
      met.forEach((pick, i) => {
        const known = recent.meet(POOL[pick]);
        const before = met.slice(0, i).lastIndexOf(pick);
        if (before < 0) expect(known).toBe(false);
        const since = new Set(met.slice(before, i)).size;
        if (before >= 0 && since <= Math.floor(limit / 2)) expect(known).toBe(true);
      });
    }),
  );
});

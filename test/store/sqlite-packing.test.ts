/** The order of a batch fills pages, and the file shows it. */
import { statSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packPages } from '../../src/store/sqlite-packing.ts';
import { everything } from '../suites/store-suite.ts';
import { chunkOf, numbers } from '../support/store-chunks.ts';
import { sqlitePlace } from '../support/store-places.ts';

describe('packing', () => {
  it('names every index once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300_000), { maxLength: 400 }), (sizes) => {
        const order = packPages(sizes);
        expect(order.toSorted((a, b) => a - b)).toEqual(sizes.map((_, index) => index));
      }),
    );
  });

  // sizes as zstd leaves them for leaves of 16 KiB, of 8 KiB, and for rows that repeat much
  for (const [mean, most] of [
    [8200, 1.05],
    [2700, 1.08],
    [1600, 1.15],
  ] as const) {
    it(`makes a file at most ${most} of its chunks when they have ${mean} bytes`, async () => {
      const next = numbers(mean);
      const place = sqlitePlace();
      const store = await place.open();
      for (let batch = 0; batch < 4; batch++) {
        const chunks = Array.from({ length: 250 }, () => {
          const spread = (next() % mean) + (next() % mean) - mean;
          const size = Math.round(mean + spread * 0.3);
          return chunkOf(Buffer.from(Array.from({ length: size }, () => next() >>> 8)));
        });
        await store.putMany(chunks);
      }
      const objects = await everything(store);
      const sum = objects.reduce((total, object) => total + object.storedSize, 0);
      await store.close();
      expect(statSync(place.path).size / sum).toBeLessThan(most);
      place.remove();
    });
  }
});

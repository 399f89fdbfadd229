/** The meter finds every chunk of a pack, however it is cut, and stands any bytes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackMeter } from '../../src/server/pack-meter.ts';
import { PackReader } from '../../src/sync/pack-reader.ts';
import { PushSource, rowsFrom } from '../support/push-source.ts';

function chunksOf(pack: Uint8Array): number {
  return new PackReader().push(pack).filter(({ type }) => type === 'chunk').length;
}

test('counts what the reader of packs finds', async () => {
  await using source = await PushSource.open();
  const commit = await source.commit(rowsFrom(0, 20_000));
  const pack = await source.pack({ wants: [commit] });
  const whole = new PackMeter();
  whole.add(pack);
  expect(whole.chunks).toBeGreaterThan(20);
  expect(whole.chunks).toBe(chunksOf(pack));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (sizes) => {
      const meter = new PackMeter();
      for (let at = 0, i = 0; at < pack.length; i++) {
        const size = sizes[i % sizes.length];
        meter.add(pack.subarray(at, at + size));
        at += size;
      }
      expect(meter.chunks).toBe(whole.chunks);
    }),
    { numRuns: 30 },
  );
});

test('stands bytes that are no pack', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const meter = new PackMeter();
      meter.add(bytes);
      expect(meter.chunks).toBeLessThanOrEqual(bytes.length);
    }),
  );
});

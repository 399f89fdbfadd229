import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { radixOrder } from '../../src/porcelain/import/radix-order.ts';
import { Sorter } from '../../src/porcelain/import/sorter.ts';

/** Keys with long shared prefixes, zero bytes at the end, and repeats. */
const key = fc
  .tuple(
    fc.constantFrom('', 'aa', 'aaaaaaaaaaaa', 'b\0\0'),
    fc.string({ maxLength: 6 }),
    fc.constantFrom('', '\0', '\0\0\0\0'),
  )
  .map((parts) => Buffer.from(parts.join('')));

const keys = fc.array(key, { maxLength: 400 });

test('the radix order is the byte order, equal keys in the order they came', () => {
  fc.assert(
    fc.property(keys, (list) => {
      const bytes = Buffer.concat(list);
      const ends = new Uint32Array(list.length);
      const starts = new Uint32Array(list.length);
      let at = 0;
      list.forEach((k, i) => {
        starts[i] = at;
        at += k.length;
        ends[i] = at;
      });
      const slow = list.map((_, i) => i).sort((a, b) => Buffer.compare(list[a], list[b]) || a - b);
      expect([...radixOrder(bytes, starts, ends, list.length)]).toEqual(slow);
    }),
    { numRuns: 300 },
  );
});

test('sorts the same through files as in memory, and leaves no file behind', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dv-sort-'));
  fc.assert(
    fc.property(keys, fc.constantFrom(64, 500, 1 << 20), (list, arena) => {
      const sorter = new Sorter(() => directory, arena);
      list.forEach((k, i) => {
        const value = Buffer.from(String(i));
        const entry = Buffer.concat([k, value]);
        sorter.add(entry, 0, k.length, entry.length);
      });
      const found = [...sorter.sorted()].flat().map((e) => [e.key.toString(), e.value.toString()]);
      sorter.close();
      const slow = list
        .map((k, i) => ({ k, i }))
        .sort((a, b) => Buffer.compare(a.k, b.k) || a.i - b.i)
        .map(({ k, i }) => [k.toString(), String(i)]);
      expect(found).toEqual(slow);
      expect(readdirSync(directory)).toEqual([]);
    }),
    { numRuns: 100 },
  );
  rmSync(directory, { recursive: true });
});

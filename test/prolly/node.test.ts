import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes } from '../../src/bytes.ts';
import { DvError } from '../../src/errors.ts';
import { buildTree } from '../../src/prolly/builder.ts';
import { checkNode } from '../../src/prolly/check.ts';
import { Node } from '../../src/prolly/node.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { NodeWriter } from '../../src/prolly/node-writer.ts';
import { scanLeaves } from '../../src/prolly/scan.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

const bytes = fc.uint8Array({ maxLength: 12 });
const entries = fc
  .uniqueArray(fc.tuple(bytes, fc.uint8Array({ maxLength: 40 })), {
    selector: ([key]) => Buffer.from(key).toString('hex'),
    maxLength: 50,
  })
  .map((list) => list.sort((a, b) => compareBytes(a[0], b[0])));

function encode(list: readonly [Uint8Array, Uint8Array][]): Buffer {
  const writer = new NodeWriter(0);
  for (const [key, value] of list) writer.addPair(key, value);
  return writer.take().bytes;
}

describe('a node', () => {
  test('decodes to what was encoded', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const node = new Node(encode(list));
        expect(node.lastKey).toEqual(list.length === 0 ? undefined : Buffer.from(list.at(-1)![0]));
        const found = Array.from({ length: node.count }, (_, i) => [
          Buffer.from(node.key(i)),
          Buffer.from(node.value(i)),
        ]);
        expect(found).toEqual(list.map(([k, v]) => [Buffer.from(k), Buffer.from(v)]));
        list.forEach(([key], i) => {
          expect(node.seek(key)).toBe(i);
        });
      }),
    );
  });

  test('with a byte flipped, cut or added is refused or is another node, never a crash', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, place, flip) => {
        const good = encode(list);
        const flipped = Buffer.from(good);
        flipped[place % good.length] ^= flip;
        const cut = good.subarray(0, place % good.length);
        const longer = Buffer.concat([good, Buffer.from([flip])]);
        for (const bad of [flipped, cut, longer]) {
          try {
            new Node(bad).lastKey;
            checkNode(new Node(bad));
          } catch (error) {
            expect(error).toBeInstanceOf(DvError);
          }
        }
        expect(() => new Node(cut)).toThrow(DvError);
        expect(() => new Node(longer)).toThrow(DvError);
      }),
      { numRuns: 500 },
    );
  });

  test('has one encoding: a key that shares less than it could is refused', () => {
    const good = encode([
      [Buffer.from('ab'), Buffer.from('0')],
      [Buffer.from('ac'), Buffer.from('2')],
    ]);
    // kind, version, level, flags, count, shared 0 and 1, own 2 and 1, value lengths 1 and 1
    expect([...good.subarray(0, 11)]).toEqual([1, 1, 0, 0, 2, 0, 1, 2, 1, 1, 1]);
    const lazy = Buffer.from([1, 1, 0, 0, 2, 0, 0, 2, 2, 1, 1, ...Buffer.from('abac02')]);
    expect(() => checkNode(new Node(lazy))).toThrow('shares less');
  });

  test('out of order, or going on behind a boundary, is found by the check', async () => {
    const unordered = encode([
      [Buffer.from('b'), Buffer.from('1')],
      [Buffer.from('a'), Buffer.from('2')],
    ]);
    expect(checkNode(new Node(unordered))).toHaveLength(1);
    const list = Array.from({ length: 3000 }, (_, i): [Buffer, Buffer] => [
      Buffer.from(String(i).padStart(6, '0')),
      Buffer.alloc(20),
    ]);
    expect(checkNode(new Node(encode(list)))).toHaveLength(1);
    const store = new NodeStore(createMemoryStore());
    for await (const leaf of scanLeaves(store, await buildTree(store, list))) {
      expect(checkNode(leaf)).toEqual([]);
    }
  });
});

test('leaves cluster round 16 KiB', async () => {
  const list = Array.from({ length: 60_000 }, (_, i): [Buffer, Buffer] => [
    Buffer.from(String(i).padStart(8, '0')),
    Buffer.alloc(60),
  ]);
  const store = new NodeStore(createMemoryStore());
  const sizes: number[] = [];
  for await (const leaf of scanLeaves(store, await buildTree(store, list))) {
    sizes.push(leaf.count * 70);
  }
  sizes.pop();
  sizes.sort((a, b) => a - b);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  expect(mean).toBeGreaterThan(14_000);
  expect(mean).toBeLessThan(18_000);
  // A geometric distribution of this mean would have a tenth of them under 1,700.
  expect(sizes[Math.floor(sizes.length * 0.1)]).toBeGreaterThan(10_000);
  expect(sizes[Math.floor(sizes.length * 0.9)]).toBeLessThan(23_000);
});

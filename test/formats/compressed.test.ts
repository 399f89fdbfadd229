/**
 * Compression there and back, however the stream is cut; files of several members or
 * frames; and a file that misses its end is never taken for a whole one.
 */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compress, decompress, decompressed } from '../../src/formats/compressed.ts';

const KINDS = ['gzip', 'zstd'] as const;
type Kind = (typeof KINDS)[number];

const text = Buffer.from(
  Array.from({ length: 30_000 }, (_, i) => `${i},${(i * 7919) % 100_003}`).join('\n'),
);

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

function unpack(bytes: Uint8Array, kind: Kind, size = 1000): Promise<Buffer> {
  return all(decompress(cut(bytes, size), kind, 'a.csv'));
}

const DAMAGED = { code: 'bad-compression', data: { file: 'a.csv' } };

describe.each(KINDS)('%s', (kind) => {
  const pack = kind === 'gzip' ? gzipSync : zstdCompressSync;

  test('gives back what went in, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.integer({ min: 1, max: 50 }),
        async (bytes, size) => {
          const packed = await all(compress(cut(bytes, size), kind));
          expect(await unpack(packed, kind, size)).toEqual(Buffer.from(bytes));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is what everybody else reads', async () => {
    const packed = await all(compress(cut(text, 5000), kind));
    const unpacked = kind === 'gzip' ? gunzipSync(packed) : zstdDecompressSync(packed);
    expect(unpacked.equals(text)).toBe(true);
  });

  test('writes the same bytes at any time on any system', async () => {
    const packed = await all(compress(cut(text, 5000), kind));
    const again = await all(compress(cut(text, 777), kind));
    expect(again.equals(packed)).toBe(true);
    if (kind === 'gzip') {
      expect(packed.subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
    }
  });

  test('reads several members, empty ones too', async () => {
    const parts = ['one\n', '', 'two\n', 'three\n'];
    const packed = Buffer.concat(parts.map((part) => pack(Buffer.from(part))));
    for (const size of [1, 7, 1000]) {
      expect((await unpack(packed, kind, size)).toString()).toBe(parts.join(''));
    }
  });

  test('a file cut off anywhere is refused', async () => {
    const packed = await all(compress(cut(text, 5000), kind));
    const lengths = Array.from({ length: 60 }, (_, i) => Math.floor((i * packed.length) / 60));
    for (const length of [...lengths, ...lengths.map((_, i) => packed.length - 1 - i)]) {
      await expect(unpack(packed.subarray(0, length), kind)).rejects.toMatchObject(DAMAGED);
    }
  });

  test('a changed byte is refused', async () => {
    const packed = await all(compress(cut(text, 5000), kind));
    for (let i = 20; i < packed.length; i += 2999) {
      const broken = Buffer.from(packed);
      broken[i] ^= 0x41;
      await expect(unpack(broken, kind)).rejects.toMatchObject(DAMAGED);
    }
  });

  test('other bytes, and bytes behind the end, are refused', async () => {
    await expect(unpack(text, kind)).rejects.toMatchObject(DAMAGED);
    const longer = Buffer.concat([pack(text), Buffer.from('more')]);
    await expect(unpack(longer, kind)).rejects.toMatchObject(DAMAGED);
  });

  test("the source's own error comes through, and its end is told", async () => {
    let closed = false;
    async function* failing(fail: boolean): AsyncGenerator<Uint8Array> {
      try {
        const packed = pack(text);
        yield packed.subarray(0, 5000);
        if (fail) throw new Error('disk');
        yield packed.subarray(5000);
      } finally {
        closed = true;
      }
    }
    await expect(all(decompress(failing(true), kind, 'a'))).rejects.toThrow('disk');
    closed = false;
    const source = { name: 'a', size: 9, stream: () => failing(false) };
    const file = decompressed(source, kind);
    expect(file).toMatchObject({ name: 'a', size: undefined });
    for await (const part of file.stream()) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }
    await expect.poll(() => closed).toBe(true);
    expect((await all(file.stream())).equals(text)).toBe(true);
  });
});

test('zstd: frames to be skipped are skipped', async () => {
  const skipped = Buffer.concat([Buffer.from('502a4d1803000000', 'hex'), Buffer.from('abc')]);
  const frame = zstdCompressSync('text');
  const file = Buffer.concat([skipped, frame, skipped, frame]);
  for (const size of [1, 4096]) {
    expect((await unpack(file, 'zstd', size)).toString()).toBe('texttext');
  }
  expect(await unpack(skipped, 'zstd')).toEqual(Buffer.alloc(0));
  await expect(unpack(file.subarray(0, skipped.length - 1), 'zstd')).rejects.toMatchObject(DAMAGED);
});

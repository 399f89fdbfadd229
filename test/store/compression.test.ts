/** Both compressions read what either wrote, and neither trusts what it reads. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Compression,
  canBeDictionary,
  loadCompression,
  loadNativeCompression,
  zlibCompression,
} from '../../src/store/compression.ts';
import { MAX_CHUNK_BYTES } from '../../src/store/contract.ts';
import { editBytes, leafBytes } from '../support/store-chunks.ts';

const native = loadNativeCompression();
const kinds: readonly Compression[] =
  native === undefined ? [zlibCompression] : [native, zlibCompression];

describe('compression', () => {
  it('is the native one where it loads', () => {
    expect(loadCompression().name).toBe(native === undefined ? 'zlib' : 'zstd-napi');
    expect(loadCompression()).toBe(loadCompression());
  });

  for (const writer of kinds) {
    for (const reader of kinds) {
      describe(`${writer.name} read by ${reader.name}`, () => {
        it('gives back any bytes', () => {
          fc.assert(
            fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
              expect(reader.decompress(writer.compress(bytes), bytes.length)).toEqual(
                Buffer.from(bytes),
              );
            }),
          );
        });

        it('gives back any bytes with any dictionary', () => {
          const inputs = fc.tuple(
            fc.uint8Array({ maxLength: 3000 }),
            fc.uint8Array({ minLength: 8, maxLength: 3000 }),
          );
          fc.assert(
            fc.property(inputs, fc.boolean(), ([bytes, dictionary], prepared) => {
              fc.pre(canBeDictionary(dictionary));
              const frame = writer.compress(
                bytes,
                prepared ? writer.prepare(dictionary) : dictionary,
              );
              for (const known of [dictionary, reader.prepare(dictionary)]) {
                expect(reader.decompress(frame, bytes.length, known)).toEqual(Buffer.from(bytes));
              }
            }),
          );
        });

        it('gives back the largest chunk, with the largest dictionary', () => {
          const bytes = leafBytes(1, MAX_CHUNK_BYTES).subarray(0, MAX_CHUNK_BYTES);
          const dictionary = editBytes(bytes, 1);
          const frame = writer.compress(bytes, dictionary);
          expect(reader.decompress(frame, bytes.length, dictionary)).toEqual(bytes);
        });
      });
    }

    describe(`hostile frames, ${writer.name}`, () => {
      const corrupt = expect.objectContaining({ code: 'corrupt' });
      const bytes = leafBytes(2);
      const frame = Buffer.from(writer.compress(bytes));

      it('are refused when the size is not the one said', () => {
        for (const size of [0, 1, bytes.length - 1, bytes.length + 1, MAX_CHUNK_BYTES]) {
          expect(() => writer.decompress(frame, size)).toThrow(corrupt);
        }
        for (const size of [-1, 0.5, Number.NaN, MAX_CHUNK_BYTES + 1, 2 ** 40]) {
          expect(() => writer.decompress(frame, size)).toThrow(corrupt);
        }
      });

      it('are refused when cut short', () => {
        for (const size of [0, 3, 5, 100, frame.length - 1]) {
          expect(() => writer.decompress(frame.subarray(0, size), bytes.length)).toThrow(corrupt);
        }
      });

      it('are refused when they would grow without end', () => {
        // a header that claims 4 GiB, then blocks that repeat one byte 128 KiB long
        const header = Buffer.from('28b52ffda0ffffffff', 'hex');
        const block = Buffer.from('02001041', 'hex');
        const bomb = Buffer.concat([header, ...Array.from({ length: 2000 }, () => block)]);
        expect(() => writer.decompress(bomb, MAX_CHUNK_BYTES)).toThrow(corrupt);
      });

      it('either decode to the right size or are refused, whatever is flipped', () => {
        fc.assert(
          fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
            const damaged = Buffer.from(frame);
            damaged[at] ^= flip;
            try {
              expect(writer.decompress(damaged, bytes.length)).toHaveLength(bytes.length);
            } catch (error) {
              expect(error).toEqual(corrupt);
            }
          }),
        );
      });
    });
  }

  it('takes no dictionary that zstd would not take as plain content', () => {
    expect(canBeDictionary(Buffer.from('1234567'))).toBe(false);
    expect(canBeDictionary(Buffer.from('12345678'))).toBe(true);
    expect(canBeDictionary(Buffer.from('37a430ec0000000000', 'hex'))).toBe(false);
    expect(canBeDictionary(Buffer.from('37a430ed0000000000', 'hex'))).toBe(true);
  });
});

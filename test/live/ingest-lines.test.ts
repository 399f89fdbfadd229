/** Lines out of chunks: the same lines and positions however the bytes are cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBlocks } from '../../src/live/ingest/line-blocks.ts';

interface Line {
  readonly text: string;
  readonly position: number;
  readonly behind: number;
  readonly line: number;
  readonly bad: boolean;
}

function read(chunks: readonly Uint8Array[], quotes = false, maxRecord = 1 << 20): Line[] {
  const blocks = new LineBlocks({ quotes, maxRecord }, 0, 0, 1);
  const lines: Line[] = [];
  for (const block of [...chunks.map((chunk) => blocks.push(chunk)), blocks.finish()]) {
    for (let i = 0; i < (block?.count ?? 0); i++) {
      if (block === undefined) continue;
      lines.push({
        text: Buffer.from(block.bytes.subarray(block.starts[i], block.ends[i])).toString('latin1'),
        position: block.positions[i],
        behind: block.behind[i],
        line: block.lines[i],
        bad: block.flaws?.has(i) ?? false,
      });
    }
  }
  return lines;
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [
    0,
    ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

/** The obvious way: all bytes at once. */
function split(text: string): Line[] {
  const parts = text.split('\n');
  const rest = parts.pop() ?? '';
  const all = [...parts.map((part) => `${part}\n`), ...(rest === '' ? [] : [rest])];
  let position = 0;
  return all.map((part, i) => {
    const line = { position, behind: position + part.length, line: i + 1, bad: false };
    position += part.length;
    return { text: part.replace(/\n$/, '').replace(/\r$/, ''), ...line };
  });
}

describe('lines of a stream', () => {
  it('do not depend on where the bytes are cut', () => {
    const texts = fc.stringMatching(/^[ab{"\r\n]*$/);
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 8 }), (text, cuts) => {
        const bytes = Buffer.from(text, 'latin1');
        expect(read(cutAt(bytes, cuts))).toEqual(split(text));
      }),
    );
  });

  it('end outside of quotes only, in CSV', () => {
    const text = 'a,"x\ny"\n"p""\nq",b\n"open\n';
    for (let cut = 0; cut <= text.length; cut++) {
      const lines = read(cutAt(Buffer.from(text), [cut]), true);
      expect(lines.map((one) => one.text)).toEqual(['a,"x\ny"', '"p""\nq",b', '"open\n']);
    }
  });

  it('that are too long are passed over, and the next one is found', () => {
    const limit = 100_000;
    const text = `short\n${'x'.repeat(limit * 3)}\nnext\n`;
    for (const size of [7_001, 65_536, text.length]) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        Buffer.from(text.slice(i * size, (i + 1) * size)),
      );
      const lines = read(chunks, false, limit);
      expect(lines.map(({ bad }) => bad)).toEqual([false, true, false]);
      expect(lines[1].text).toMatch(/^x{65536}$/);
      expect(lines[1].position).toBe(6);
      expect(lines[2]).toMatchObject({ text: 'next', position: text.length - 5, line: 3 });
    }
  });

  it('begin behind a byte order mark', () => {
    expect(read([Buffer.from('\ufeff{}\n')])[0]).toMatchObject({ text: '{}', behind: 6 });
  });
});

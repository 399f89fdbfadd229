import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareCells } from '../../src/cli/render/diff/cell-sides.ts';
import { cutMiddle, endOf, keepContext, shortenBoth } from '../../src/cli/render/diff/shorten.ts';
import { visibleCell } from '../../src/cli/render/diff/visible-text.ts';
import { diffWords, type Segment } from '../../src/cli/render/diff/word-diff.ts';
import { displayWidth } from '../../src/cli/render/width.ts';
import { hostileText } from '../support/table-arbitrary.ts';

const words = fc
  .array(
    fc.constantFrom('the', 'quick', 'brown', 'fox', '東京', ',', ' ', ' ', '👨‍👩‍👧', 'e\u0301'),
    {
      maxLength: 30,
    },
  )
  .map((list) => list.join(''));
const text = fc.oneof(words, hostileText);
const joined = (segments: readonly Segment[]) => segments.map((segment) => segment.text).join('');
const common = (segments: readonly Segment[]) =>
  joined(segments.filter((segment) => !segment.changed));
/** Changed parts in brackets. */
const marked = (segments: readonly Segment[]) =>
  segments.map((s) => (s.changed ? `[${s.text}]` : s.text)).join('');

function expectMarked(from: string, to: string, before: string, after: string): void {
  const diff = diffWords(from, to);
  expect([marked(diff.from), marked(diff.to)]).toEqual([before, after]);
}

describe('differing words', () => {
  it('add up to the texts, and what is common is the same', () => {
    fc.assert(
      fc.property(text, text, (from, to) => {
        const diff = diffWords(from, to);
        expect([joined(diff.from), joined(diff.to)]).toEqual([from, to]);
        expect(common(diff.from)).toBe(common(diff.to));
        const places = (segments: readonly Segment[]) => segments.map(({ changed }) => changed);
        expect(places(diff.from)).toEqual(places(diff.to));
      }),
    );
  });

  it('are as few as a slow comparison finds', () => {
    // Characters that are a word each, behind a beginning that both have.
    const list = fc.array(fc.constantFrom('東', '京', '都'), { maxLength: 8 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const head = '一二三四五六';
        const diff = diffWords(head + a.join(''), head + b.join(''));
        expect(common(diff.from)).toHaveLength(head.length + longestCommon(a, b));
      }),
    );
  });

  it('are words, not letters', () => {
    expectMarked('the lazy dog', 'the sleepy dog', 'the [lazy] dog', 'the [sleepy] dog');
    expectMarked('a b c d', 'a b c', 'a b c[ d]', 'a b c[]');
    expectMarked('Zürich', 'Zurich', '[Zürich]', '[Zurich]');
    expectMarked('one two three', 'four five six', '[one two three]', '[four five six]');
    expectMarked(
      '大きな都市です',
      '大きな古い都市です',
      '大きな[]都市です',
      '大きな[古い]都市です',
    );
    expectMarked('flag 🏳️‍🌈 up', 'flag 🏳️ up', 'flag [🏳️‍🌈] up', 'flag [🏳️] up');
  });

  it('of a long text without any are found at its ends', () => {
    const base = 'abcdefghijklmnopqrstuvwxyz'.repeat(3);
    expectMarked(`${base}1${base}`, `${base}22${base}`, `${base}[1]${base}`, `${base}[22]${base}`);
  });

  it('are found in long texts in reasonable time', () => {
    const base = Array.from({ length: 20_000 }, (_, i) => `w${i}`);
    const other = base.map((word, i) => (i % 1000 === 0 ? 'changed' : word));
    const diff = diffWords(base.join(' '), other.join(' '));
    expect(diff.from.filter(({ changed }) => changed)).toHaveLength(20);
    const different = diffWords('a '.repeat(50_000), 'b '.repeat(50_000));
    expect(different.from).toHaveLength(1);
  });
});

function longestCommon(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  const [x, y] = [a.slice(1), b.slice(1)];
  if (a[0] === b[0]) return 1 + longestCommon(x, y);
  return Math.max(longestCommon(x, b), longestCommon(a, y));
}

describe('shortening', () => {
  it('keeps to the width and never hides that there is a difference', () => {
    fc.assert(
      fc.property(text, text, fc.integer({ min: 20, max: 60 }), (from, to, width) => {
        fc.pre(visibleCell(from) !== visibleCell(to));
        const sides = compareCells(from, to, 'text');
        const shorter = shortenBoth(sides, width);
        expect(displayWidth(joined(shorter.from))).toBeLessThanOrEqual(width);
        expect(displayWidth(joined(shorter.to))).toBeLessThanOrEqual(width);
        expect(marked(shorter.from)).not.toBe(marked(shorter.to));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps context around what differs', () => {
    const diff = diffWords(
      `${'left '.repeat(9)}old${' right'.repeat(9)}`,
      `${'left '.repeat(9)}new${' right'.repeat(9)}`,
    );
    expect(marked(keepContext(diff.from, 6, 100))).toBe('… left [old] right…');
  });

  it('elides the middle of a name', () => {
    expect(cutMiddle('short', 10)).toBe('short');
    expect(cutMiddle('a-very-long-column-name', 12)).toBe('a-v…umn-name');
    fc.assert(
      fc.property(hostileText.map(visibleCell), fc.integer({ min: 4, max: 40 }), (name, width) => {
        expect(displayWidth(cutMiddle(name, width))).toBeLessThanOrEqual(width);
        expect(displayWidth(endOf(name, width))).toBeLessThanOrEqual(width);
        expect(name.endsWith(endOf(name, width))).toBe(true);
      }),
    );
  });
});

describe('a cell', () => {
  it.each([
    [null, '∅'],
    ['', '""'],
    ['∅', '"∅"'],
    ['""', '"\\"\\""'],
    [' a  b ', '·a··b·'],
    ['a\nb\tc', 'a⏎b⇥c'],
    ['a \nb\r\n', 'a·⏎b␍⏎'],
    ['\u001b[1m\u009b\u202e', '␛[1m<9b><U+202E>'],
    ['plain text', 'plain text'],
  ])('%j looks like %s', (cell, look) => {
    expect(visibleCell(cell)).toBe(look);
  });

  it('never looks like another one', () => {
    const cell = fc.option(hostileText, { freq: 5 });
    fc.assert(
      fc.property(cell, cell, (from, to) => {
        fc.pre(from !== to);
        const sides = compareCells(from, to, 'text');
        // Signs and text that look alike are told apart by quotes or by the sign's colour.
        expect([joined(sides.from), sides.fromSign]).not.toEqual([joined(sides.to), sides.toSign]);
      }),
      { numRuns: 2000 },
    );
  });
});

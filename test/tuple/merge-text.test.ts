/** The rule `text`: edits of different lines or words come together, others do not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeText } from '../../src/tuple/merge-text.ts';

type Part = readonly [word: string, editor: 'nobody' | 'ours' | 'theirs' | 'both'];

/** Parts that are all different, each with who edits it. */
const parts = fc
  .array(fc.constantFrom<Part[1]>('nobody', 'ours', 'theirs', 'both'), { maxLength: 12 })
  .map((editors) => editors.map((editor, i): Part => [`w${i}`, editor]));

const edited = (list: readonly Part[], sides: readonly string[], end: string): string =>
  list.map(([word, editor]) => (sides.includes(editor) ? `${word}${word}` : word) + end).join('');

describe.each([
  ['words', ' '],
  ['lines', '\n'],
  ['lines of Windows', '\r\n'],
])('%s', (_, end) => {
  test('edits of either side, and edits of both that are alike, come together', () => {
    fc.assert(
      fc.property(parts, (list) => {
        const base = edited(list, [], end);
        const ours = edited(list, ['ours', 'both'], end);
        const theirs = edited(list, ['theirs', 'both'], end);
        const merged = edited(list, ['ours', 'theirs', 'both'], end);
        expect(mergeText({ base, ours, theirs })).toBe(merged);
      }),
    );
  });
});

const anyText = fc
  .array(fc.constantFrom('a', 'b', 'word', ' ', '\n', '__proto__', 'é', '😀', '.'), {
    maxLength: 12,
  })
  .map((words) => words.join(''));

test('swapping the sides changes nothing, and a side that did nothing yields', () => {
  fc.assert(
    fc.property(anyText, anyText, anyText, (base, ours, theirs) => {
      expect(mergeText({ base, ours: theirs, theirs: ours })).toBe(
        mergeText({ base, ours, theirs }),
      );
      expect(mergeText({ base, ours, theirs: base })).toBe(ours);
      expect(mergeText({ base, ours, theirs: ours })).toBe(ours);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['the quick brown fox', 'the quick red fox', 'the slow brown fox', 'the slow red fox'],
  ['one\ntwo\n', 'one\ntwo\nthree\n', 'zero\none\ntwo\n', 'zero\none\ntwo\nthree\n'],
  ['a b', 'a c', 'a d', undefined],
  ['a b', 'a', 'a d', undefined],
  [null, 'a', 'b', undefined],
  ['a', null, 'b', undefined],
])('%j: %j and %j make %j', (base, ours, theirs, merged) => {
  expect(mergeText({ base, ours, theirs })).toBe(merged);
});

test('texts too long to compare are for a person', () => {
  const long = (word: string) => `${word} `.repeat(5000);
  expect(mergeText({ base: long('a'), ours: long('b'), theirs: long('c') })).toBeUndefined();
});

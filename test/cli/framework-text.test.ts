/** Text on a terminal: what is dangerous made visible, what is wide measured. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatBytes, formatCount, formatNumber } from '../../src/cli/render/count.ts';
import { renderError } from '../../src/cli/render/error.ts';
import { loadPaint, NO_PAINT, type Paint } from '../../src/cli/render/paint.ts';
import { sanitize, sanitizeLine } from '../../src/cli/render/sanitize.ts';
import { displayWidth, fitText, pad, truncate } from '../../src/cli/render/width.ts';
import { bug, DvError } from '../../src/errors.ts';

const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** Text as it may be in a repository: with controls, marks, wide characters, emoji. */
const nasty = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\x1b[2J',
        '\x9b31m',
        '\r',
        '\n',
        '\t',
        '\u202e',
        '\x7f',
        '日本',
        '👩‍👩‍👧',
        'e\u0301',
      ),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

describe('sanitize', () => {
  test.each([
    ['\x1b[31mred\x1b[0m', '␛[31mred␛[0m'],
    ['\x9b31m', '<9b>31m'],
    ['a\x00b\x7f', 'a␀b␡'],
    ['user\u202etxt.exe', 'user<U+202E>txt.exe'],
    ['a\u2028b', 'a<U+2028>b'],
    ['plain, ünïcode, 日本, 👩‍👩‍👧', 'plain, ünïcode, 日本, 👩‍👩‍👧'],
  ])('%j', (text, expected) => {
    expect(sanitizeLine(text)).toBe(expected);
    expect(sanitize(text)).toBe(expected);
  });

  test('line feeds and tabs stay in text of several lines only', () => {
    expect(sanitize('a\n\tb\r\n')).toBe('a\n\tb␍\n');
    expect(sanitizeLine('a\n\tb')).toBe('a␊␉b');
  });

  test('leaves nothing that moves a cursor, and changes nothing twice', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(sanitizeLine(text)).not.toMatch(UNSAFE);
        expect(sanitize(text).replace(/[\n\t]/g, '')).not.toMatch(UNSAFE);
        expect(sanitizeLine(sanitizeLine(text))).toBe(sanitizeLine(text));
      }),
    );
  });
});

describe('width', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['ｆｕｌｌ', 8],
    ['한국', 4],
    ['한', 2],
    ['👍', 2],
    ['👩‍👩‍👧', 2],
    ['👍🏽', 2],
    ['🇩🇪', 2],
    ['❤', 1],
    ['❤️', 2],
    ['⌚', 2],
    ['␛', 1],
    ['…', 1],
    ['\u200d', 0],
  ])('%j takes %d', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 4, 'abc…'],
    ['abcdef', 1, '…'],
    ['abcdef', 0, ''],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['日本語', 1, '…'],
    ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
    ['👩‍👩‍👧a', 2, '…'],
  ])('%j cut to %d', (text, width, expected) => {
    expect(truncate(text, width)).toBe(expected);
  });

  test('cut text fits and begins as the whole; fitted text fits exactly', () => {
    fc.assert(
      fc.property(nasty.map(sanitizeLine), fc.nat(20), (text, width) => {
        const cut = truncate(text, width);
        expect(displayWidth(cut)).toBeLessThanOrEqual(width);
        if (cut !== text) expect(text.startsWith(cut.replace(/…$/, ''))).toBe(true);
        if (displayWidth(text) <= width) expect(cut).toBe(text);
        expect(displayWidth(fitText(text, width, 'right'))).toBe(width);
      }),
    );
  });

  test('padding goes to either side', () => {
    expect(pad('日', 4)).toBe('日  ');
    expect(pad('日', 4, 'right')).toBe('  日');
    expect(pad('abc', 2)).toBe('abc');
  });
});

test('counts', () => {
  expect([0, 999, 1000, 1234567].map(formatNumber)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([0, 999, 1000, 92_000_000, 999_960].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '92.0 MB',
    '1.0 MB',
  ]);
  expect([formatCount(1, 'rows'), formatCount(1000, 'rows')]).toEqual(['1 row', '1,000 rows']);
});

describe('errors', () => {
  test('an error and its hint, in two lines and safe', () => {
    const error = new DvError('unknown-table', "no table '\x1b[2J'", { hint: 'dv ls' });
    expect(renderError(error, NO_PAINT)).toBe("error: no table '␛[2J'\nhint: dv ls\n");
  });

  test('a bug shows its stack and that of its cause', () => {
    expect(renderError(bug('broken'), NO_PAINT)).toContain('framework-text.test.ts');
    const caused = new DvError('bug', 'broken', { cause: new RangeError('beneath') });
    expect(renderError(caused, NO_PAINT)).toContain('RangeError: beneath');
  });

  test('in colour', async () => {
    const paint = await loadPaint(true);
    expect(renderError(new DvError('locked', 'a'), paint)).toMatch(/^\x1b\[.*error:\x1b\[.* a\n$/);
    const roles = Object.keys(paint) as (keyof Paint)[];
    expect(roles).toEqual(Object.keys(NO_PAINT));
    for (const role of roles) expect(paint[role]('x')).toContain('\x1b[');
  });
});

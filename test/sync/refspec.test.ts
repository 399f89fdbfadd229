/** Refspecs: what git's manual says of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DvError } from '../../src/errors.ts';
import {
  defaultFetchSpec,
  expandName,
  formatRefspec,
  mapRef,
  matchPattern,
  parseRefspec,
  unmapRef,
} from '../../src/sync/refspec.ts';

const word = fc.stringMatching(/^[a-z]{1,5}(\/[a-z]{1,5})?$/);

describe('parsing', () => {
  test.each([
    ['main', { force: false, source: 'main', target: null }],
    ['+main', { force: true, source: 'main', target: null }],
    ['fix:release/1', { force: false, source: 'fix', target: 'release/1' }],
    [':old', { force: false, source: null, target: 'old' }],
    ['main:', { force: false, source: 'main', target: null }],
    ['HEAD~2:main', { force: false, source: 'HEAD~2', target: 'main' }],
    [
      '+refs/heads/*:refs/remotes/origin/*',
      { force: true, source: 'refs/heads/*', target: 'refs/remotes/origin/*' },
    ],
  ])('%s', (text, expected) => {
    expect(parseRefspec(text)).toEqual(expected);
  });

  test.each([
    '',
    '+',
    ':',
    'a:b:c',
    'refs/heads/*:refs/x',
    'a*b*:c*',
    'refs/heads/..:x',
    'refs/heads/a b',
  ])('refuses %j', (text) => {
    const attempt = () => parseRefspec(text);
    expect(attempt).toThrow(DvError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'bad-name' }));
  });

  test('what is written is read back', () => {
    const spec = fc.record({
      force: fc.boolean(),
      source: fc.option(word),
      target: fc.option(word),
    });
    fc.assert(
      fc.property(spec, (one) => {
        fc.pre(one.source !== null || one.target !== null);
        expect(parseRefspec(formatRefspec(one))).toEqual(one);
      }),
    );
  });
});

test('a ref mapped there and back is the same', () => {
  fc.assert(
    fc.property(word, word, word, (prefix, other, rest) => {
      const spec = { force: false, source: `refs/${prefix}/*`, target: `refs/${other}/*/x` };
      const mapped = mapRef(spec, `refs/${prefix}/${rest}`);
      expect(mapped).toBe(`refs/${other}/${rest}/x`);
      expect(unmapRef(spec, mapped ?? '')).toBe(`refs/${prefix}/${rest}`);
      expect(mapRef(spec, `refs/none${prefix}/${rest}`)).toBeUndefined();
    }),
  );
});

test('a pattern does not overlap itself', () => {
  expect(matchPattern('refs/aa*aa', 'refs/aaa')).toBeUndefined();
  expect(matchPattern('refs/aa*aa', 'refs/aaaa')).toBe('');
});

test('a replacement is taken literally', () => {
  expect(mapRef(defaultFetchSpec('origin'), 'refs/heads/$&')).toBe('refs/remotes/origin/$&');
});

test('short names: tags before branches before remotes', () => {
  const names = new Set(['refs/heads/x', 'refs/tags/x', 'refs/heads/y', 'refs/remotes/o/z']);
  expect(expandName('x', names)).toBe('refs/tags/x');
  expect(expandName('heads/x', names)).toBe('refs/heads/x');
  expect(expandName('y', names)).toBe('refs/heads/y');
  expect(expandName('o/z', names)).toBe('refs/remotes/o/z');
  expect(expandName('none', names)).toBeUndefined();
});

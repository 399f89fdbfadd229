/** Which refs a fetch takes: cases of git's manual. */
import { describe, expect, test } from 'vitest';
import { type Hash, hashOf } from '../../src/hash.ts';
import { type FetchQuestion, followedTags, planFetch } from '../../src/porcelain/fetch-plan.ts';
import { defaultFetchSpec, parseRefspec } from '../../src/sync/refspec.ts';

const hash = (text: string): Hash => hashOf(Buffer.from(text));
const REMOTE = {
  head: 'refs/heads/main',
  cursor: '0.0',
  refs: [
    { name: 'refs/heads/fix', hash: hash('fix') },
    { name: 'refs/heads/main', hash: hash('main') },
    { name: 'refs/tags/v1', hash: hash('tag'), peeled: hash('main') },
    { name: 'refs/tags/v2', hash: hash('other') },
  ],
};

function plan(typed: string[], question: Partial<FetchQuestion> = {}): string[] {
  return planFetch(REMOTE, {
    typed: typed.map(parseRefspec),
    configured: [defaultFetchSpec('origin')],
    tags: 'auto',
    upstream: undefined,
    ...question,
  }).map(
    ({ source, target, force, forMerge }) =>
      `${force ? '+' : ''}${source} ${target}${forMerge ? ' merge' : ''}`,
  );
}

describe('a fetch', () => {
  test('takes what the remote is configured for', () => {
    expect(plan([], { upstream: 'refs/heads/fix' })).toEqual([
      '+refs/heads/fix refs/remotes/origin/fix merge',
      '+refs/heads/main refs/remotes/origin/main',
    ]);
  });

  test('of a URL takes HEAD, and keeps no name', () => {
    expect(plan([], { configured: [] })).toEqual(['refs/heads/main null merge']);
  });

  test('of a branch moves what follows it', () => {
    expect(plan(['fix'])).toEqual([
      'refs/heads/fix null merge',
      '+refs/heads/fix refs/remotes/origin/fix',
    ]);
  });

  test('under another name', () => {
    expect(plan(['fix:here', 'v1:mine'], { configured: [] })).toEqual([
      'refs/heads/fix refs/heads/here merge',
      'refs/tags/v1 refs/tags/mine merge',
    ]);
  });

  test('with all tags', () => {
    expect(plan([], { configured: [], tags: 'all' })).toEqual([
      'refs/heads/main null merge',
      'refs/tags/v1 refs/tags/v1',
      'refs/tags/v2 refs/tags/v2',
    ]);
  });

  test('refuses what is not there, and two for one name', () => {
    expect(() => plan(['none'])).toThrow(expect.objectContaining({ code: 'unknown-ref' }));
    expect(() => plan(['main:x', 'fix:x'])).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
    expect(plan([], { configured: [parseRefspec('refs/heads/none:refs/x/none')] })).toEqual([]);
  });
});

test('tags come with their commits', () => {
  const coming = followedTags(REMOTE, (commit) => commit === hash('main'));
  expect(coming.map(({ source }) => source)).toEqual(['refs/tags/v1']);
});

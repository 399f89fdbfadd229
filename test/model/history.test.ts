/** Revisions and ancestry against brute force over random graphs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { headUpdate } from '../../src/model/head.ts';
import { isAncestor, walkHistory } from '../../src/model/history.ts';
import { checkRefName, checkTableName, foldName } from '../../src/model/names.ts';
import { resolveRevision } from '../../src/model/revision.ts';
import type { Store } from '../../src/store/contract.ts';
import { commitGraph, reachable, storeGraph } from '../support/commit-graph.ts';

describe('history', () => {
  test('walks every reachable commit once, newest first, without the excluded', async () => {
    await fc.assert(
      fc.asyncProperty(commitGraph, fc.nat(), async (parents, pick) => {
        const [memory, hashes] = await storeGraph(parents, (i) => i * 1000);
        const start = parents.length - 1;
        const excluded = pick % parents.length;
        const expected = [...reachable(parents, start)].sort((a, b) => b - a);
        const walked: Hash[] = [];
        for await (const { hash } of walkHistory(memory, [hashes[start]])) walked.push(hash);
        expect(walked).toEqual(expected.map((i) => hashes[i]));
        const hidden = reachable(parents, excluded);
        const rest: Hash[] = [];
        const options = { exclude: [hashes[excluded]] };
        for await (const { hash } of walkHistory(memory, [hashes[start]], options)) rest.push(hash);
        expect(rest).toEqual(expected.filter((i) => !hidden.has(i)).map((i) => hashes[i]));
      }),
    );
  });

  test('knows ancestors, whatever the clocks said', async () => {
    await fc.assert(
      fc.asyncProperty(commitGraph, fc.nat(), fc.nat(), fc.nat(), async (parents, x, y, seed) => {
        const [memory, hashes] = await storeGraph(parents, (i) => Math.imul(i + seed, 7919) % 1000);
        const [a, b] = [x % parents.length, y % parents.length];
        expect(await isAncestor(memory, hashes[a], hashes[b])).toBe(reachable(parents, b).has(a));
      }),
    );
  });
});

describe('a revision', () => {
  const parse = (text: string): number | undefined => {
    const time = Date.parse(text);
    return Number.isNaN(time) ? undefined : time;
  };

  async function example(): Promise<[Store, Hash[]]> {
    const day = Date.UTC(2026, 0, 1);
    const [memory, hashes] = await storeGraph(
      [[], [0], [0], [1, 2], [3]],
      (i) => day + i * 86_400_000,
    );
    for (const [old, to] of [
      [null, 0],
      [0, 1],
      [1, 3],
      [3, 4],
    ] as const) {
      await memory.transact({
        refs: [
          { name: 'refs/heads/main', old: old === null ? null : hashes[old], new: hashes[to] },
        ],
        log: { actor: '', time: day + to * 86_400_000, message: 'moved' },
      });
    }
    await memory.transact({
      refs: [{ name: 'refs/tags/v1', old: null, new: hashes[3] }],
      state: [headUpdate({ branch: 'main' })],
    });
    return [memory, hashes];
  }

  test.each([
    ['HEAD', 4],
    ['@', 4],
    ['main', 4],
    ['refs/heads/main', 4],
    ['HEAD~', 3],
    ['HEAD~2', 1],
    ['HEAD^', 3],
    ['v1^2', 2],
    ['v1^1', 1],
    ['v1^2~1', 0],
    ['HEAD^^2', 2],
    ['HEAD^0', 4],
    ['main@{0}', 4],
    ['main@{1}', 3],
    ['main@{3}', 0],
    ['@{1}', 3],
    ['main@{2026-01-04T12:00:00Z}', 3],
    ['main@{2026-01-02T00:00:00Z}', 1],
    ['main@{2026-01-04T12:00:00Z}~1', 1],
  ])('%s is commit %i', async (text, index) => {
    const [memory, hashes] = await example();
    expect(await resolveRevision(memory, text, parse)).toBe(hashes[index]);
    expect(await resolveRevision(memory, hashes[index], parse)).toBe(hashes[index]);
    expect(await resolveRevision(memory, hashes[index].slice(0, 12), parse)).toBe(hashes[index]);
  });

  test.each([
    ['nothing', 'bad-revision'],
    ['HEAD~9', 'bad-revision'],
    ['v1^3', 'bad-revision'],
    ['main@{9}', 'bad-revision'],
    ['main@{soon}', 'bad-date'],
    ['0123456789', 'bad-revision'],
    ['', 'bad-revision'],
    ['main@{2020-01-01}', 'bad-revision'],
  ])('%s is refused as %s', async (text, code) => {
    const [memory] = await example();
    await expect(resolveRevision(memory, text, parse)).rejects.toMatchObject({ code });
  });
});

describe('names', () => {
  test.each([
    '../x.csv',
    'a/../b',
    '/etc/x',
    'a//b',
    '',
    '.dv/x',
    'a/.DV/b',
    'x\u0000',
    'x\u001b[1m',
    'a\\b',
    'a:b',
    'x\u202ecsv',
  ])('a table is not called %j', (name) => {
    expect(() => checkTableName(name)).toThrow(/table name/);
  });

  test.each([
    'a..b',
    'a b',
    '-x',
    'x.lock',
    '.x',
    'x/',
    '@',
    'HEAD',
    'a~1',
    'x^',
    'a@{b',
    'é\u0007',
  ])('a branch is not called %j', (name) => {
    expect(() => checkRefName('branch', name)).toThrow(/branch name/);
  });

  test('good ones pass, and twins by case or composition fold together', () => {
    for (const name of ['cities.csv', 'data/2026/ü.csv', 'orders', '.hidden.csv', 'a b.csv']) {
      expect(checkTableName(name)).toBe(name);
    }
    expect(checkRefName('branch', 'feature/x-1')).toBe('feature/x-1');
    expect(foldName('Städte.CSV')).toBe(foldName('sta\u0308dte.csv'));
  });
});

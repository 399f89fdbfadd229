/** Stage, files and HEAD together: what switch, reset, restore, rm and mv keep and refuse. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { createBranch } from '../../src/porcelain/branch.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { remove, rename } from '../../src/porcelain/remove.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { restore } from '../../src/porcelain/restore.ts';
import { status } from '../../src/porcelain/status.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { temporaryRepository, testEnvironment } from '../support/repository.ts';

const A1 = 'id,v\n1,one\n2,two\n';
const A2 = 'id,v\n1,one\n2,TWO\n';
const A3 = 'id,v\n1,one\n2,two\n3,three\n';
const B1 = 'id;w\n1;"x;y"\n';

interface Fixture extends AsyncDisposable {
  readonly repo: Repository;
  write(name: string, text: string): void;
  read(name: string): string | undefined;
  add(...names: string[]): Promise<void>;
  /** `table: change` lines of staged, unstaged and untracked. */
  state(): Promise<string[][]>;
}

/** main has a.csv (A1) and b.csv; branch `other` has a.csv (A2), no b.csv, and c.csv. */
async function fixture(): Promise<Fixture> {
  const temporary = await temporaryRepository();
  const { repo, directory } = temporary;
  const path = (name: string): string => join(directory, name);
  const self: Fixture = {
    repo,
    write: (name, text) => writeFileSync(path(name), text),
    read: (name) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : undefined),
    add: async (...names) => {
      await add(repo, names.map(path));
    },
    state: async () => {
      const { staged, unstaged, untracked } = await status(repo);
      const lines = (list: typeof staged): string[] => list.map((e) => `${e.table}: ${e.change}`);
      return [lines(staged), lines(unstaged), [...untracked]];
    },
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
  self.write('a.csv', A1);
  self.write('b.csv', B1);
  await self.add('a.csv', 'b.csv');
  await commit(repo, { message: 'first' });
  await switchTo(repo, 'other', { create: true });
  self.write('a.csv', A2);
  self.write('c.csv', A3);
  await self.add('a.csv', 'c.csv');
  await remove(repo, [path('b.csv')]);
  await commit(repo, { message: 'other' });
  await switchTo(repo, 'main');
  return self;
}

const CLEAN: string[][] = [[], [], []];

describe('switch', () => {
  test('writes, restores and removes files, byte for byte', async () => {
    await using f = await fixture();
    expect([f.read('a.csv'), f.read('b.csv'), f.read('c.csv')]).toEqual([A1, B1, undefined]);
    expect(await f.state()).toEqual(CLEAN);
    await switchTo(f.repo, 'other');
    expect([f.read('a.csv'), f.read('b.csv'), f.read('c.csv')]).toEqual([A2, undefined, A3]);
    expect(await f.state()).toEqual(CLEAN);
  });

  test('refuses to overwrite unsaved work and changes nothing', async () => {
    await using f = await fixture();
    f.write('a.csv', A3);
    await expect(switchTo(f.repo, 'other')).rejects.toMatchObject({
      code: 'unsaved-changes',
      data: { tables: ['a.csv'] },
    });
    expect([f.read('a.csv'), f.read('b.csv'), f.read('c.csv')]).toEqual([A3, B1, undefined]);
    expect((await status(f.repo)).branch).toBe('main');
    await switchTo(f.repo, 'other', { discard: true });
    expect([f.read('a.csv'), f.read('b.csv'), f.read('c.csv')]).toEqual([A2, undefined, A3]);
  });

  test('refuses to overwrite a file it does not know', async () => {
    await using f = await fixture();
    f.write('c.csv', 'id,mine\n1,precious\n');
    await expect(switchTo(f.repo, 'other')).rejects.toMatchObject({ code: 'unsaved-changes' });
    expect(f.read('c.csv')).toContain('precious');
  });

  test('carries changes along that are in nobody’s way', async () => {
    await using f = await fixture();
    await createBranch(f.repo, 'same', 'main');
    f.write('a.csv', A3);
    f.write('d.csv', A1);
    await f.add('d.csv');
    await switchTo(f.repo, 'same');
    expect(f.read('a.csv')).toBe(A3);
    expect(await f.state()).toEqual([['d.csv: added'], ['a.csv: modified'], []]);
  });

  test('refuses when the target changes a staged table', async () => {
    await using f = await fixture();
    f.write('a.csv', A3);
    await f.add('a.csv');
    await expect(switchTo(f.repo, 'other')).rejects.toMatchObject({ code: 'unsaved-changes' });
    expect(await f.state()).toEqual([['a.csv: modified'], [], []]);
  });
});

describe('reset', () => {
  test('soft keeps stage and files, mixed the files, hard neither', async () => {
    for (const [mode, expected, file] of [
      ['soft', [['a.csv: modified'], [], []], A3],
      ['mixed', [[], ['a.csv: modified'], []], A3],
      ['hard', CLEAN, A1],
    ] as const) {
      await using f = await fixture();
      f.write('a.csv', A3);
      await f.add('a.csv');
      await commit(f.repo, { message: 'second' });
      await reset(f.repo, 'HEAD~1', mode);
      expect([mode, await f.state(), f.read('a.csv')]).toEqual([mode, expected, file]);
    }
  });

  test('hard leaves untracked files alone and brings back deleted ones', async () => {
    await using f = await fixture();
    f.write('note.txt', 'mine');
    await remove(f.repo, [join(f.repo.worktree, 'a.csv')]);
    await reset(f.repo, 'HEAD', 'hard');
    expect([f.read('a.csv'), f.read('note.txt')]).toEqual([A1, 'mine']);
  });
});

describe('restore', () => {
  test('takes files from the stage, the stage from HEAD, both from a revision', async () => {
    await using f = await fixture();
    const a = join(f.repo.worktree, 'a.csv');
    f.write('a.csv', A2);
    await f.add('a.csv');
    f.write('a.csv', A3);
    await restore(f.repo, [a]);
    expect(f.read('a.csv')).toBe(A2);
    await restore(f.repo, [a], { staged: true });
    expect([f.read('a.csv'), await f.state()]).toEqual([A2, [[], ['a.csv: modified'], []]]);
    await restore(f.repo, [a], { staged: true, worktree: true, source: 'other' });
    expect([f.read('a.csv'), await f.state()]).toEqual([A2, [['a.csv: modified'], [], []]]);
  });
});

describe('rm and mv', () => {
  test('rm takes the file along, and not one with unsaved changes', async () => {
    await using f = await fixture();
    const a = join(f.repo.worktree, 'a.csv');
    f.write('a.csv', A3);
    await expect(remove(f.repo, [a])).rejects.toMatchObject({ code: 'unsaved-changes' });
    await remove(f.repo, [a], { cached: true });
    expect([f.read('a.csv'), await f.state()]).toEqual([A3, [['a.csv: removed'], [], ['a.csv']]]);
  });

  test('mv keeps the rows and refuses to overwrite', async () => {
    await using f = await fixture();
    const path = (name: string): string => join(f.repo.worktree, name);
    await expect(rename(f.repo, [[path('a.csv'), path('b.csv')]])).rejects.toMatchObject({
      code: 'already-exists',
    });
    await rename(f.repo, [[path('a.csv'), path('z.csv')]]);
    expect([f.read('a.csv'), f.read('z.csv')]).toEqual([undefined, A1]);
    expect(await f.state()).toEqual([['a.csv: removed', 'z.csv: added'], [], []]);
  });
});

describe('two processes', () => {
  test('what is staged survives a commit by another, unless both have the same table', async () => {
    await using f = await fixture();
    const other = await openRepository(f.repo.worktree, testEnvironment(Date.UTC(2026, 5, 1)));
    f.write('b.csv', 'id;w\n1;changed\n');
    await f.add('b.csv');
    const staged = await status(f.repo);
    expect(staged.staged.map(({ table }) => table)).toEqual(['b.csv']);
    // The other commits only a.csv, as a server would: from HEAD, past the stage.
    await restore(other, [join(f.repo.worktree, 'b.csv')], { staged: true });
    f.write('a.csv', A3);
    await add(other, [join(f.repo.worktree, 'a.csv')]);
    await commit(other, { message: 'by another' });
    await f.add('b.csv');
    await commit(f.repo, { message: 'mine' });
    expect(await f.state()).toEqual(CLEAN);
    expect([f.read('a.csv'), f.read('b.csv')]).toEqual([A3, 'id;w\n1;changed\n']);
    await other.close();
  });
});

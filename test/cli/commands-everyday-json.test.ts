/** The everyday commands as scripts use them: what each writes as JSON, exactly. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/cli.ts';
import { CITIES, Shell } from '../support/everyday.ts';

const HASH = expect.stringMatching(/^[0-9a-f]{64}$/);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const AUTHOR = { name: 'Test Author', email: 'test@example.org' };

describe('JSON for programs', () => {
  test('of init', async () => {
    const shell = new Shell(temporaryDirectory());
    const path = join(shell.directory, 'new');
    expect(await shell.json('init', 'new', '-b', 'trunk')).toEqual({
      path,
      created: true,
      branch: 'trunk',
    });
    expect(await shell.json('init', 'new')).toEqual({ path, created: false, branch: 'trunk' });
  });

  test('of add, status and commit: the contract', async () => {
    const shell = await Shell.open();
    shell.write('cities.csv', CITIES);
    shell.write('README.md', 'hello');
    expect(await shell.json('status')).toEqual({
      branch: 'main',
      commit: null,
      staged: [],
      unstaged: [],
      untracked: ['README.md', 'cities.csv'],
      clean: true,
    });
    const { tables } = (await shell.json('add', '.')) as { tables: Record<string, unknown>[] };
    expect(tables[0]).toEqual({
      table: 'README.md',
      kind: 'file',
      change: 'added',
      rows: { added: 0, removed: 0, modified: 0 },
      schema: [],
    });
    expect(tables[1]).toMatchObject({
      table: 'cities.csv',
      kind: 'table',
      change: 'added',
      rows: { added: 3, removed: 0, modified: 0 },
      total: 3,
      key: ['id'],
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'name', type: 'text' },
        { name: 'population', type: 'integer' },
      ],
      widenings: [],
      dialect: { format: 'csv' },
    });
    expect(await shell.json('status')).toMatchObject({
      staged: [
        { table: 'README.md', kind: 'file', change: 'added' },
        {
          table: 'cities.csv',
          kind: 'table',
          change: 'added',
          rows: { added: 3, removed: 0, modified: 0 },
        },
      ],
      untracked: [],
      clean: false,
    });
    expect(await shell.json('commit', '-m', 'First')).toEqual({
      commit: HASH,
      branch: 'main',
      tables: [{ table: 'cities.csv', added: 3, removed: 0, modified: 0 }],
      files: [{ file: 'README.md', change: 'added' }],
    });
    shell.write('cities.csv', 'id,name,population\n1,Zurich,415367\n3,Basel,7\n4,Chur,1\n');
    const second = await shell.ok('commit', '-a', '-m', 'Second', '--json');
    expect(second).toMatch(
      /^\{"commit":"[0-9a-f]{64}","branch":"main","tables":\[\{"table":"cities\.csv","added":1,"removed":1,"modified":2\}\]\}\n$/,
    );
    expect(await shell.json('commit', '--skip-empty', '-m', 'none')).toEqual({
      commit: null,
      branch: 'main',
      tables: [],
    });
  });

  test('of log and show', async () => {
    const shell = await Shell.openCommitted();
    await shell.commit('cities.csv', CITIES.replace('Bern', 'Berne'), 'Second\n\nBody');
    const [second, first, ...more] = await shell.lines('log');
    const { commit } = first as { commit: string };
    expect(more).toEqual([]);
    expect(first).toEqual({
      commit: HASH,
      parents: [],
      author: AUTHOR,
      time: TIME,
      message: 'First',
    });
    expect(second).toEqual({
      commit: HASH,
      parents: [commit],
      author: AUTHOR,
      time: TIME,
      message: 'Second\n\nBody',
    });
    const counts = { table: 'cities.csv', added: 0, removed: 0, modified: 1 };
    expect(await shell.lines('log', '--stat', '-1')).toEqual([
      { ...(second as object), tables: [counts] },
    ]);
    const row = (name: string) => ({ id: 2, name, population: 133883 });
    expect(await shell.lines('show')).toEqual([
      second,
      {
        table: 'cities.csv',
        change: 'modified',
        key: { id: 2 },
        from: row('Bern'),
        to: row('Berne'),
      },
    ]);
    expect(await shell.json('show', '--stat')).toEqual({
      ...(second as object),
      tables: [{ ...counts, cells: 1, columns: { name: 1 }, schema: [] }],
    });
    expect(await shell.json('show', '-s')).toEqual(second);
    expect(await shell.lines('show', 'HEAD~1:cities.csv')).toEqual([
      { id: 1, name: 'Zürich', population: 415367 },
      { id: 2, name: 'Bern', population: 133883 },
      { id: 3, name: 'Basel', population: null },
    ]);
  });

  test('of branch, switch and tag', async () => {
    const shell = await Shell.openCommitted();
    const [{ commit }] = (await shell.lines('log')) as [{ commit: string }];
    expect(await shell.json('branch', 'fix')).toEqual({ branch: 'fix', commit });
    const listed = { commit, subject: 'First', time: TIME };
    expect(await shell.json('branch')).toEqual({
      branches: [
        { branch: 'fix', current: false, ...listed },
        { branch: 'main', current: true, ...listed },
      ],
    });
    expect(await shell.json('branch', '--list', 'f*', 'x')).toMatchObject({
      branches: [{ branch: 'fix' }],
    });
    expect(await shell.json('branch', '-m', 'fix', 'mend')).toEqual({
      from: 'fix',
      branch: 'mend',
      commit,
    });
    expect(await shell.json('branch', '--show-current')).toEqual({ branch: 'main' });
    expect(await shell.json('branch', '-d', 'mend')).toEqual({
      deleted: [{ branch: 'mend', commit }],
    });
    expect(await shell.json('switch', '-c', 'other')).toEqual({
      branch: 'other',
      commit,
      files: [],
    });
    expect(await shell.json('switch', '--detach')).toEqual({ branch: null, commit, files: [] });
    expect(await shell.json('branch', '--show-current')).toEqual({ branch: null });
    expect(await shell.json('tag', 'v1')).toEqual({ tag: 'v1', commit });
    const annotated = { tag: 'v2', commit, message: 'As published', tagger: AUTHOR, time: TIME };
    expect(await shell.json('tag', '-m', 'As published', 'v2', 'main')).toEqual(annotated);
    expect(await shell.json('tag')).toEqual({ tags: [{ tag: 'v1', commit }, annotated] });
    expect((await shell.lines('show', 'v2', '-s'))[0]).toMatchObject({
      commit,
      tag: { name: 'v2', tagger: AUTHOR, time: TIME, message: 'As published' },
    });
    expect(await shell.json('tag', '-d', 'v1')).toEqual({ deleted: [{ tag: 'v1', commit }] });
  });

  test('of rm, mv, restore and reset', async () => {
    const shell = await Shell.openCommitted();
    const [{ commit }] = (await shell.lines('log')) as [{ commit: string }];
    expect(await shell.json('mv', 'cities.csv', 'data/')).toEqual({
      moved: [{ from: 'cities.csv', to: 'data/cities.csv' }],
    });
    expect(await shell.json('rm', '-r', 'data')).toEqual({ removed: ['data/cities.csv'] });
    expect(existsSync(join(shell.directory, 'data/cities.csv'))).toBe(false);
    expect(await shell.json('restore', '--staged', '--worktree', '.')).toEqual({
      restored: ['cities.csv'],
    });
    expect(await shell.json('status')).toMatchObject({ staged: [], unstaged: [], clean: true });
    shell.write('cities.csv', CITIES.replace('Bern', 'Berne'));
    await shell.ok('add', '-q', 'cities.csv');
    expect(await shell.json('reset', 'cities.csv')).toEqual({ unstaged: ['cities.csv'] });
    expect(await shell.json('reset', '--hard')).toEqual({
      commit,
      mode: 'hard',
      files: ['cities.csv'],
    });
    expect(readFileSync(join(shell.directory, 'cities.csv'), 'utf8')).toBe(CITIES);
  });

  test('of a failure: one object, the last line', async () => {
    const shell = await Shell.openCommitted();
    const { status, stdout, stderr } = await shell.run(['commit', '-m', 'x', '--json']);
    expect([status, stderr]).toEqual([3, '']);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'nothing-to-commit' } });
  });
});

/** `undo`, `redo`, `reflog` and `rollback`: back to what was, without losing work. */
import { expect, test } from 'vitest';
import { createRowWriter } from '../../src/live/writer.ts';
import { listOperations } from '../../src/model/operations.ts';
import { add } from '../../src/porcelain/add.ts';
import { createBranch, deleteBranch } from '../../src/porcelain/branch.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { fsck, gc } from '../../src/porcelain/maintain.ts';
import { merge } from '../../src/porcelain/merge.ts';
import { rebase } from '../../src/porcelain/rebase.ts';
import { reflog } from '../../src/porcelain/reflog.ts';
import { resolveCommit } from '../../src/porcelain/repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { rollback } from '../../src/porcelain/rollback.ts';
import { status } from '../../src/porcelain/status.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { redo, undo } from '../../src/porcelain/undo.ts';
import { Branched, csv, FILE } from '../support/branched.ts';

const table = (...rows: string[]): string => csv('id,a', ...rows);
const BASE = table('1,x', '2,y', '3,z');
const OURS = table('1,ours', '2,y', '3,z');
const THEIRS = table('1,x', '2,y', '3,theirs');
const MERGED = table('1,ours', '2,y', '3,theirs');

test('commit, merge, reset, rebase and branches are undone and done again, one by one', async () => {
  await using scene = await Branched.apart(BASE, OURS, THEIRS);
  const { repo } = scene;
  const view = async () => [
    await scene.head(),
    await resolveCommit(repo, 'side').catch(() => null),
  ];
  const views = [await view()];
  const files = [scene.read()];
  const steps = [
    () => merge(repo, ['side']),
    () => scene.commit(table('1,ours', '2,y', '3,theirs', '4,w'), 'four'),
    () => reset(repo, 'HEAD~1', 'hard'),
    () => deleteBranch(repo, 'side', true),
    () => createBranch(repo, 'side', 'HEAD~1'),
    () => scene.commit(table('1,ours', '2,y', '3,theirs', '5,v'), 'five'),
    () => rebase(repo, 'HEAD~1', { onto: 'HEAD~2' }),
  ];
  for (const step of steps) {
    await step();
    views.push(await view());
    files.push(scene.read());
  }
  for (let i = views.length - 2; i >= 0; i--) {
    await undo(repo);
    expect(await view()).toEqual(views[i]);
    for await (const problem of fsck(repo)) expect(problem).toBeUndefined();
  }
  expect(scene.read()).toBe(files[0]);
  expect(await scene.problems()).toEqual([]);
  await gc(repo, { grace: 0 });
  await scene.reopen();
  for (let i = 1; i < views.length; i++) {
    await redo(scene.repo);
    expect([await scene.head(), scene.read()]).toEqual([views[i][0], files[i]]);
  }
  await expect(redo(scene.repo)).rejects.toMatchObject({ code: 'nothing-to-undo' });
  expect(await scene.problems()).toEqual([]);
});

test('a commit that is undone is staged as it was before', async () => {
  await using scene = await Branched.open(BASE);
  const base = await scene.head();
  await scene.commit(OURS, 'ours');
  await undo(scene.repo);
  expect([await scene.head(), scene.read()]).toEqual([base, OURS]);
  expect((await status(scene.repo)).staged).toMatchObject([{ table: FILE, change: 'modified' }]);
  await commit(scene.repo, { message: 'again' });
  expect(await scene.problems()).toEqual([]);
});

test('what was done after an undo ends what could be done again', async () => {
  await using scene = await Branched.open(BASE);
  await scene.commit(OURS, 'ours');
  await undo(scene.repo);
  await scene.commit(THEIRS, 'theirs');
  await expect(redo(scene.repo)).rejects.toMatchObject({ code: 'nothing-to-undo' });
});

test('a dry run tells, and changes nothing', async () => {
  await using scene = await Branched.open(BASE);
  const head = await scene.commit(OURS, 'ours');
  const result = await undo(scene.repo, true);
  expect(result).toMatchObject({ operation: 'commit: ours', refs: [{ from: head }] });
  expect([await scene.head(), scene.read()]).toEqual([head, OURS]);
});

test('work that no operation knows refuses an undo, and stays', async () => {
  await using scene = await Branched.apart(BASE, OURS, THEIRS);
  const { repo } = scene;
  await merge(repo, ['side']);
  const head = await scene.head();
  const mine = table('1,mine', '2,y', '3,theirs');
  scene.write(mine);
  await expect(undo(repo)).rejects.toMatchObject({ code: 'unsaved-changes' });
  await add(repo, [scene.path]);
  await expect(undo(repo)).rejects.toMatchObject({ code: 'unsaved-changes' });
  expect([await scene.head(), scene.read()]).toEqual([head, mine]);
});

test('undoing what a remote branch has is told', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  await scene.commit(OURS, 'ours');
  const name = 'refs/remotes/origin/main';
  const head = await resolveCommit(repo, 'HEAD');
  await repo.store.transact({ refs: [{ name, old: null, new: head }] });
  await scene.commit(MERGED, 'not pushed');
  expect((await undo(repo)).pushed).toEqual([]);
  expect(await undo(repo)).toMatchObject({ operation: 'commit: ours', pushed: ['origin/main'] });
  expect(await repo.store.getRef(name)).toBe(head);
});

test('the reflog says where HEAD has been', async () => {
  await using scene = await Branched.open(BASE);
  const first = await scene.head();
  await scene.fork('side');
  const side = await scene.commit(THEIRS, 'theirs');
  await scene.go('main');
  const entries = await reflog(scene.repo);
  expect(entries.map(({ message }) => message)).toEqual([
    'switch: from side to main',
    'commit: theirs',
    'switch: from main to side',
    'commit (initial): base',
  ]);
  expect(entries.map(({ commit: hash }) => hash)).toEqual([first, side, first, first]);
  expect(await resolveCommit(scene.repo, 'HEAD@{1}')).toBe(side);
  await deleteBranch(scene.repo, 'side', true);
  await gc(scene.repo, { grace: 0 });
  expect(await resolveCommit(scene.repo, 'HEAD@{1}')).toBe(side);
});

test('a detached HEAD leaves a trace that gc keeps', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  await switchTo(repo, 'HEAD', { detach: true });
  const lost = await scene.commit(OURS, 'on no branch');
  await scene.go('main');
  await gc(repo, { grace: 0 });
  expect(await resolveCommit(repo, 'HEAD@{1}')).toBe(lost);
  await switchTo(repo, 'HEAD@{1}', { detach: true });
  expect(scene.read()).toBe(OURS);
  expect(await scene.problems()).toEqual([]);
});

test('a table, or some of its rows, goes back by a new commit, and the rest stays', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  await scene.commit('other,n\n1,1\n', 'other', 'u.csv');
  await scene.commit(table('1,one', '2,two', '4,four'), 'edited');
  await scene.commit('other,n\n1,2\n', 'other again', 'u.csv');
  const result = await rollback(repo, FILE, { to: 'HEAD~3', where: 'id = 1 OR id = 3' });
  expect(result.tables).toMatchObject([{ table: FILE, added: 1, modified: 1, removed: 0 }]);
  expect(scene.read()).toBe(table('1,x', '2,two', '3,z', '4,four'));
  expect(scene.read('u.csv')).toBe('other,n\n1,2\n');
  await rollback(repo, FILE, { to: 'HEAD~4', message: 'all of it' });
  expect(scene.read()).toBe(BASE);
  expect((await scene.messages())[0]).toBe('all of it');
  expect(await rollback(repo, FILE, { to: 'HEAD~1', dryRun: true })).toMatchObject({
    commit: null,
    tables: [{ table: FILE, added: 1, modified: 1, removed: 0 }],
  });
  expect(scene.read()).toBe(BASE);
  expect((await rollback(repo, FILE, { to: 'HEAD' })).commit).toBeNull();
  expect(await scene.problems()).toEqual([]);
  await expect(rollback(repo, 'none.csv', { to: 'HEAD' })).rejects.toMatchObject({
    code: 'unknown-table',
  });
  scene.write(OURS);
  await expect(rollback(repo, FILE, { to: 'HEAD~1' })).rejects.toMatchObject({
    code: 'unsaved-changes',
  });
  expect(scene.read()).toBe(OURS);
});

test('a commit before it was amended is in the reflog', async () => {
  await using scene = await Branched.open(BASE);
  const before = await scene.commit(OURS, 'ours');
  scene.write(MERGED);
  await commit(scene.repo, { amend: true, message: 'better', all: true });
  expect((await reflog(scene.repo)).map(({ commit: hash }) => hash)).toContain(before);
});

test('rows that were written together are undone together, and the reflog says what they were', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  const head = await scene.head();
  const writer = createRowWriter(repo.store, repo.env);
  const author = { name: 'Ada', email: 'ada@example.org' };
  const write = (id: string) =>
    writer.write({
      branch: 'main',
      tables: [{ table: 'o', key: ['id'], writes: [{ op: 'upsert', cells: { id } }] }],
      message: `row ${id}\n\nwith a body`,
      author,
      drift: 'widen',
    });
  await Promise.all(['1', '2', '3'].map(write));
  await writer.close();
  expect((await scene.messages()).length).toBe(4);
  const [{ message, actor }] = await reflog(repo);
  expect([message, actor]).toEqual(['write: row 3', 'Ada <ada@example.org>']);
  const operations = await listOperations(repo.store);
  expect(operations.length).toBeLessThan(4); // the first alone, or all; the others together
  while ((await scene.head()) !== head) await undo(repo);
  expect((await scene.messages()).length).toBe(1);
  while ((await listOperations(repo.store)).length < operations.length) await redo(repo);
  expect((await scene.messages()).length).toBe(4);
  expect(await scene.problems()).toEqual([]);
});

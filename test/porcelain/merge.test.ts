/** `merge`: every way it can end, what it refuses, and that a refusal changes nothing. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { merge } from '../../src/porcelain/merge.ts';
import { resolveCommit } from '../../src/porcelain/repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { abortMerge } from '../../src/porcelain/settle-merge.ts';
import { setTableRules } from '../../src/porcelain/table-rules.ts';
import { Branched, csv, FILE } from '../support/branched.ts';

const BASE = csv('id,a,b', '1,x,1', '2,y,2', '3,z,3');
const OURS = csv('id,a,b', '1,x,10', '2,y,2', '3,z,3');
const THEIRS = csv('id,a,b', '1,X,1', '3,z,3', '4,new,4');
const MERGED = csv('id,a,b', '1,X,10', '3,z,3', '4,new,4');
const CLASH = csv('id,a,b', '1,x,11', '2,y,2', '3,z,3');

const parentsOf = async ({ repo }: Branched, revision = 'HEAD'): Promise<readonly Hash[]> =>
  (await readCommit(repo.store, await resolveCommit(repo, revision))).parents;

/** As a pull would bring them. */
async function copyObjects(from: Branched, to: Branched): Promise<void> {
  for await (const batch of from.repo.store.scan()) {
    const hashes = batch.map(({ hash }) => hash);
    const chunks = await from.repo.store.getMany(hashes);
    await to.repo.store.putMany(hashes.map((hash, i) => ({ hash, bytes: chunks[i]! })));
  }
}

test('cells of one row and other rows come together, in a commit with two parents', async () => {
  await using scene = await Branched.apart(BASE, OURS, THEIRS);
  const { repo } = scene;
  const heads = [await resolveCommit(repo, 'main'), await resolveCommit(repo, 'side')];
  const result = await merge(repo, ['side']);
  expect(result).toMatchObject({
    outcome: 'merged',
    conflicts: [],
    tables: [{ table: FILE, added: 1, removed: 1, modified: 1 }],
  });
  expect(scene.read()).toBe(MERGED);
  expect(await parentsOf(scene)).toEqual(heads);
  expect(await scene.messages()).toContain("Merge branch 'side'");
  expect(await merge(repo, ['side'])).toMatchObject({ outcome: 'up-to-date' });
  expect(await scene.problems()).toEqual([]);
});

test('fast-forward, refused and refusing', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  await scene.fork('side');
  const side = await scene.commit(THEIRS, 'theirs');
  await scene.go('main');
  expect(await merge(repo, ['side'], { dryRun: true })).toMatchObject({
    outcome: 'fast-forward',
    dryRun: true,
  });
  expect(await scene.messages()).toEqual(['base']);
  const made = await merge(repo, ['side'], { fastForward: 'no' });
  expect(made.outcome).toBe('merged');
  expect((await parentsOf(scene)).length).toBe(2);
  await reset(repo, 'HEAD~1', 'hard');
  expect(await merge(repo, ['side'], { fastForward: 'only' })).toMatchObject({
    outcome: 'fast-forward',
    commit: side,
  });
  expect(scene.read()).toBe(THEIRS);
  await scene.go('main');
  await reset(repo, 'HEAD~1', 'hard');
  await scene.commit(OURS, 'ours');
  const head = await scene.head();
  await expect(merge(repo, ['side'], { fastForward: 'only' })).rejects.toMatchObject({
    code: 'not-fast-forward',
  });
  expect(await scene.head()).toBe(head);
  expect(await scene.problems()).toEqual([]);
});

test('a squash and a merge without a commit stage what comes; the commit then has its parents', async () => {
  await using scene = await Branched.apart(BASE, OURS, THEIRS);
  const { repo } = scene;
  const [main, side] = [await resolveCommit(repo, 'main'), await resolveCommit(repo, 'side')];
  expect((await merge(repo, ['side'], { squash: true })).outcome).toBe('staged');
  expect(scene.read()).toBe(MERGED);
  await commit(repo, { message: 'squashed' });
  expect(await parentsOf(scene)).toEqual([main]);
  await reset(repo, main, 'hard');
  expect((await merge(repo, ['side'], { commit: false })).outcome).toBe('staged');
  expect(await scene.head()).toBe(main);
  await commit(repo, { message: 'by hand' });
  expect(await parentsOf(scene)).toEqual([main, side]);
  expect(scene.read()).toBe(MERGED);
  expect(await scene.problems()).toEqual([]);
});

test('a dry run says what would clash, and changes nothing', async () => {
  await using scene = await Branched.apart(BASE, OURS, CLASH);
  const before = await scene.head();
  const result = await merge(scene.repo, ['side'], { dryRun: true });
  expect(result).toMatchObject({ outcome: 'conflicts', conflicts: [{ table: FILE, count: 1 }] });
  expect(await scene.head()).toBe(before);
  expect(scene.read()).toBe(OURS);
  expect(await scene.problems()).toEqual([]);
});

test('a merge with conflicts waits, is aborted, and is decided by an option', async () => {
  await using scene = await Branched.apart(BASE, OURS, CLASH);
  const before = await scene.head();
  expect((await merge(scene.repo, ['side'])).outcome).toBe('conflicts');
  await scene.reopen();
  expect(await scene.conflicts()).toEqual(['1: b']);
  await expect(merge(scene.repo, ['side'])).rejects.toMatchObject({ code: 'merge-in-progress' });
  await expect(commit(scene.repo, { message: 'too early' })).rejects.toMatchObject({
    code: 'conflicts-left',
  });
  await abortMerge(scene.repo);
  expect(await scene.head()).toBe(before);
  expect(scene.read()).toBe(OURS);
  expect(await scene.problems()).toEqual([]);
  await expect(abortMerge(scene.repo)).rejects.toMatchObject({ code: 'no-merge' });
  const decided = await merge(scene.repo, ['side'], { resolve: 'max' });
  expect(decided.resolved).toMatchObject({
    count: 1,
    decisions: [{ key: ['1'], column: 'b', rule: 'max', result: '11' }],
  });
  expect(scene.read()).toBe(CLASH);
  expect(await scene.problems()).toEqual([]);
});

test('work in the way refuses a merge, and stays as it is', async () => {
  await using scene = await Branched.apart(BASE, OURS, THEIRS);
  const { repo } = scene;
  const mine = csv('id,a,b', '1,x,99', '2,y,2', '3,z,3');
  scene.write(mine);
  const refused = expect.objectContaining({ code: 'unsaved-changes' });
  await expect(merge(repo, ['side'])).rejects.toEqual(refused);
  await add(repo, [scene.path]);
  await expect(merge(repo, ['side'])).rejects.toEqual(refused);
  expect(scene.read()).toBe(mine);
  expect(await scene.messages()).toEqual(['ours', 'base']);
});

test('histories without a commit in common need to be told so', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  await using other = await Branched.open(csv('id,a,b', '9,q,9'));
  const foreign = await other.head();
  await copyObjects(other, scene);
  await expect(merge(repo, [foreign!])).rejects.toMatchObject({ code: 'unrelated-histories' });
  const joined = await merge(repo, [foreign!], { allowUnrelated: true });
  expect(joined.outcome).toBe('merged');
  expect(scene.read()).toBe(csv('id,a,b', '1,x,1', '2,y,2', '3,z,3', '9,q,9'));
});

test('several branches at once make one commit; what conflicts refuses all of it', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  for (const n of [1, 2, 3]) {
    await scene.fork(`b${n}`);
    await scene.commit(BASE.replace(`${n},`, `${n},branch`), `b${n}`);
    await scene.go('main');
  }
  await merge(repo, ['b1'], { fastForward: 'no' });
  expect((await merge(repo, ['b2', 'b3'])).outcome).toBe('merged');
  expect((await parentsOf(scene)).length).toBe(3);
  expect(scene.read()).toBe(csv('id,a,b', '1,branchx,1', '2,branchy,2', '3,branchz,3'));
  await scene.fork('b4');
  await scene.commit(scene.read().replace('branchx', 'four'), 'b4');
  await scene.go('main');
  await scene.fork('b5');
  await scene.commit(scene.read().replace('branchx', 'five'), 'b5');
  await scene.go('main');
  const head = await scene.head();
  await expect(merge(repo, ['b4', 'b5'], { fastForward: 'no' })).rejects.toMatchObject({
    code: 'conflicts-left',
  });
  expect(await scene.head()).toBe(head);
  expect(await scene.problems()).toEqual([]);
});

test('a commit that another one has is no parent of its own', async () => {
  await using scene = await Branched.apart(BASE, OURS, THEIRS);
  const { repo } = scene;
  const [ours, side] = [await resolveCommit(repo, 'main'), await resolveCommit(repo, 'side')];
  for (const names of [
    ['side', 'side'],
    ['side~1', 'side', 'main~1'],
  ]) {
    const { commit: merged } = await merge(repo, names);
    expect((await readCommit(repo.store, merged)).parents).toEqual([ours, side]);
    expect((await scene.messages())[0]).toBe("Merge branch 'side'");
    await reset(repo, 'HEAD~1', 'hard');
  }
});

test('what rules decide of several branches is all recorded', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  await setTableRules(repo, FILE, ['b=max']);
  await commit(repo, { message: 'rules', all: true });
  for (const n of [1, 2]) {
    await scene.fork(`b${n}`);
    await scene.commit(BASE.replace(`${n},${'_xy'[n]},${n}`, `${n},${'_xy'[n]},5${n}`), `b${n}`);
    await scene.go('main');
  }
  await scene.commit(csv('id,a,b', '1,x,40', '2,y,60', '3,z,3'), 'ours');
  const { resolved } = await merge(repo, ['b1', 'b2']);
  expect(resolved?.decisions.map(({ key, result }) => [...key, result])).toEqual([
    ['1', '51'],
    ['2', '60'],
  ]);
  expect(scene.read()).toBe(csv('id,a,b', '1,x,51', '2,y,60', '3,z,3'));
});

test('rows that both added under one integer key: named, and renumbered on the later branch', async () => {
  const theirs = csv('id,a,b', '1,x,1', '2,y,2', '3,z,3', '4,theirs,4');
  const ours = csv('id,a,b', '1,x,1', '2,y,2', '3,z,3', '4,ours,4');
  await using scene = await Branched.apart(BASE, ours, theirs);
  const { repo } = scene;
  await merge(repo, ['side']);
  expect(await scene.conflicts()).toEqual(['4: a']);
  await abortMerge(repo);
  const result = await merge(repo, ['side'], { renumber: true });
  // main was committed to later: its row moves.
  expect(result.renumbered).toEqual([{ table: FILE, from: ['4'], to: ['5'] }]);
  expect(scene.read()).toBe(csv('id,a,b', '1,x,1', '2,y,2', '3,z,3', '4,theirs,4', '5,ours,4'));
});

test('plain files are merged as a whole', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  await scene.commit('one', 'readme', 'README.md');
  await scene.fork('side');
  await scene.commit('two', 'theirs', 'README.md');
  await scene.go('main');
  await scene.commit(OURS, 'ours');
  expect((await merge(repo, ['side'])).outcome).toBe('merged');
  expect([scene.read('README.md'), scene.read()]).toEqual(['two', OURS]);
  await reset(repo, 'HEAD~1', 'hard');
  await scene.commit('three', 'ours too', 'README.md');
  expect((await merge(repo, ['side'])).outcome).toBe('conflicts');
  expect(await scene.conflicts()).toEqual(['README.md']);
  expect(scene.read('README.md')).toBe('three');
});

/** The same commits in two repositories, one on either side of the merge. */
async function twins(base: string, ours: string, theirs: string): Promise<Branched> {
  const scene = await Branched.open(base);
  await setTableRules(scene.repo, FILE, ['b=max']);
  await commit(scene.repo, { message: 'rules', all: true });
  await scene.fork('side');
  await scene.commit(theirs, 'theirs');
  await scene.go('main');
  await scene.commit(ours, 'ours');
  return scene;
}

test('an automatic merge of two heads is the same commit on both sides', async () => {
  await using left = await twins(BASE, OURS, CLASH);
  const { repo } = left;
  const [main, side] = [await resolveCommit(repo, 'main'), await resolveCommit(repo, 'side')];
  const one = await merge(repo, ['side'], { auto: true });
  await left.go('side');
  const two = await merge(repo, [main], { auto: true });
  expect(two.outcome).toBe('merged');
  expect(two.commit).toBe(one.commit);
  expect(await parentsOf(left)).toEqual([main, side].sort());
  expect(left.read()).toBe(CLASH);
});

test('another repository with the same two heads makes it byte for byte', async () => {
  await using left = await twins(BASE, OURS, CLASH);
  await using right = await Branched.open();
  const heads = [await resolveCommit(left.repo, 'main'), await resolveCommit(left.repo, 'side')];
  await copyObjects(left, right);
  await merge(right.repo, [heads[1]]);
  expect(await right.head()).toBe(heads[1]);
  const here = await merge(left.repo, ['side'], { auto: true });
  const there = await merge(right.repo, [heads[0]], { auto: true });
  expect(there.commit).toBe(here.commit);
  const [a] = await left.repo.store.getMany([here.commit]);
  const [b] = await right.repo.store.getMany([there.commit]);
  expect(Buffer.compare(a!, b!)).toBe(0);
  expect(right.read()).toBe(left.read());
});

test('an automatic merge that finds a conflict changes nothing', async () => {
  await using scene = await Branched.apart(BASE, OURS, CLASH);
  const before = await scene.head();
  expect(await merge(scene.repo, ['side'], { auto: true })).toMatchObject({
    outcome: 'conflicts',
    commit: before,
  });
  expect(await scene.problems()).toEqual([]);
});

test('a working file that is gone is work in the way', async () => {
  await using scene = await Branched.apart(BASE, OURS, THEIRS);
  rmSync(join(scene.directory, FILE));
  await expect(merge(scene.repo, ['side'])).rejects.toMatchObject({ code: 'unsaved-changes' });
  await reset(scene.repo, 'HEAD', 'hard');
  await merge(scene.repo, ['side']);
  expect(scene.read()).toBe(MERGED);
});

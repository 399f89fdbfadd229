/** `stash`: work put aside and brought back, all of it or some rows. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { gc } from '../../src/porcelain/maintain.ts';
import { resolve } from '../../src/porcelain/resolve-choices.ts';
import { abortMerge } from '../../src/porcelain/settle-merge.ts';
import {
  findStash,
  listStash,
  stashApply,
  stashClear,
  stashDrop,
  stashPush,
} from '../../src/porcelain/stash.ts';
import { status } from '../../src/porcelain/status.ts';
import { Branched, csv } from '../support/branched.ts';

const table = (...rows: string[]): string => csv('id,a,c', ...rows);
const BASE = table('1,x,CH', '2,y,DE', '3,z,CH');
const EDITED = table('1,X,CH', '2,Y,DE', '4,new,CH');

test('everything goes, and comes back', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  scene.write(EDITED);
  const { entry } = await stashPush(repo, { message: 'half done' });
  expect(entry?.message).toBe('On main: half done');
  expect(scene.read()).toBe(BASE);
  expect(await scene.problems()).toEqual([]);
  await gc(repo, { grace: 0 });
  await scene.commit(table('1,x,CH', '2,y,DE', '3,z,CH', '5,other,FR'), 'meanwhile');
  expect(await stashApply(scene.repo, undefined, { drop: true })).toMatchObject({
    outcome: 'applied',
    dropped: true,
  });
  expect(scene.read()).toBe(table('1,X,CH', '2,Y,DE', '4,new,CH', '5,other,FR'));
  expect(await listStash(repo)).toEqual([]);
});

test('some rows go, and the others stay as they are', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  scene.write(EDITED);
  await stashPush(repo, { where: "c = 'CH'" });
  expect(scene.read()).toBe(table('1,x,CH', '2,Y,DE', '3,z,CH'));
  await commit(repo, { message: 'the others', all: true });
  await stashApply(repo, '0', { drop: true });
  expect(scene.read()).toBe(EDITED);
});

test('some tables go; what was staged of the others stays staged', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  await scene.commit(BASE, 'second', 'u.csv');
  scene.write(EDITED);
  await add(repo, [scene.path]);
  const { unstaged } = await status(repo);
  expect(unstaged).toEqual([]);
  await stashPush(repo, { paths: ['u.csv'] });
  expect((await listStash(repo)).length).toBe(0);
  await stashPush(repo, { paths: ['t.csv'] });
  expect([scene.read(), scene.read('u.csv')]).toEqual([BASE, BASE]);
});

test('a directory stands for what is in it, and a path that is not tracked is told', async () => {
  await using scene = await Branched.open(BASE);
  const { repo, directory } = scene;
  mkdirSync(join(directory, 'd'));
  await scene.commit(BASE, 'second', 'd/u.csv');
  scene.write(EDITED);
  writeFileSync(join(directory, 'd/u.csv'), EDITED);
  await expect(stashPush(repo, { paths: ['none.csv'] })).rejects.toMatchObject({
    code: 'unknown-table',
  });
  await stashPush(repo, { paths: [join(directory, 'd')] });
  expect([scene.read(), scene.read('d/u.csv')]).toEqual([EDITED, BASE]);
  await stashPush(repo, { paths: [directory] });
  expect(scene.read()).toBe(BASE);
});

test('entries are numbered from the newest, applied by number, dropped and cleared', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  for (const n of [1, 2, 3]) {
    scene.write(table(`1,${n},CH`, '2,y,DE', '3,z,CH'));
    await stashPush(repo, { message: `entry ${n}` });
  }
  const names = async () => (await listStash(repo)).map(({ message }) => message);
  expect(await names()).toEqual(['On main: entry 3', 'On main: entry 2', 'On main: entry 1']);
  expect((await findStash(repo, 'stash@{2}')).message).toBe('On main: entry 1');
  await stashApply(repo, '2', { drop: false });
  expect(scene.read()).toBe(table('1,1,CH', '2,y,DE', '3,z,CH'));
  expect((await stashDrop(repo, '1')).message).toBe('On main: entry 2');
  expect(await names()).toEqual(['On main: entry 3', 'On main: entry 1']);
  expect(await stashClear(repo)).toBe(2);
  await expect(findStash(repo)).rejects.toMatchObject({ code: 'no-stash' });
});

test('where HEAD changed the same there is a conflict, and the entry is kept', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  scene.write(EDITED);
  await stashPush(repo);
  await scene.commit(BASE.replace('1,x', '1,mine'), 'mine');
  expect(await stashApply(repo, undefined, { drop: true })).toMatchObject({
    outcome: 'conflicts',
    dropped: false,
  });
  expect(await scene.conflicts()).toEqual(['1: a']);
  await abortMerge(repo);
  expect(scene.read()).toBe(BASE.replace('1,x', '1,mine'));
  expect(await scene.problems()).toEqual([]);
  await stashApply(repo, undefined, { drop: true });
  await resolve(repo, { choice: { kind: 'side', side: 'theirs' } });
  expect(scene.read()).toBe(EDITED);
  expect((await listStash(repo)).length).toBe(1);
});

test('nothing to put aside makes no entry; unsaved work refuses to be written over', async () => {
  await using scene = await Branched.open(BASE);
  const { repo } = scene;
  expect((await stashPush(repo)).entry).toBeNull();
  scene.write(EDITED);
  await stashPush(repo);
  const mine = BASE.replace('3,z', '3,mine');
  scene.write(mine);
  await expect(stashApply(repo, undefined, { drop: true })).rejects.toMatchObject({
    code: 'unsaved-changes',
  });
  expect(scene.read()).toBe(mine);
  await expect(stashPush(repo, { where: 'a >' })).rejects.toMatchObject({ code: 'bad-condition' });
  expect(scene.read()).toBe(mine);
});

/** `rerere`: conflicts that were settled before are settled again, and only those. */
import { expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { readMerge } from '../../src/model/merge-state.ts';
import { readRemembered } from '../../src/model/remembered.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { repositoryConfigFile, setConfig } from '../../src/porcelain/config.ts';
import { withoutFilling } from '../../src/porcelain/filling-store.ts';
import { fsck, gc } from '../../src/porcelain/maintain.ts';
import { merge } from '../../src/porcelain/merge.ts';
import { rebase } from '../../src/porcelain/rebase.ts';
import { forgetResolutions, remembered } from '../../src/porcelain/rerere.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { resolve } from '../../src/porcelain/resolve-choices.ts';
import { continueSequence } from '../../src/porcelain/sequence-resume.ts';
import { abortMerge } from '../../src/porcelain/settle-merge.ts';
import { listStash, stashPush } from '../../src/porcelain/stash.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { Branched, csv, FILE } from '../support/branched.ts';
import { overlay } from '../support/store-counting.ts';

const HEADER = 'id,a,b';
const BASE = csv(HEADER, '1,x,1', '2,y,2', '3,z,3');
const OURS = csv(HEADER, '1,ours,10', '2,y,20', '3,z,3', '4,ours,');
const THEIRS = csv(HEADER, '1,theirs,11', '3,z,3', '4,theirs,');
const SETTLED = csv(HEADER, '1,settled,11', '3,z,3', '4,ours,');

async function open(enabled = 'true'): Promise<Branched> {
  const scene = await Branched.apart(BASE, OURS, THEIRS);
  setConfig(repositoryConfigFile(scene.repo.dotDir), 'rerere.enabled', enabled);
  return scene;
}

/** Settles every conflict, each its own way. */
async function settle({ repo }: Branched): Promise<void> {
  const values = new Map([
    ['a', 'settled'],
    ['b', '11'],
  ]);
  await resolve(repo, { choice: { kind: 'values', values }, keys: [['1']] });
  await resolve(repo, { choice: { kind: 'side', side: 'theirs' }, keys: [['2']] });
  await resolve(repo, { choice: { kind: 'side', side: 'ours' }, keys: [['4']] });
}

test('a merge that is made again is settled as before, also the other way round', async () => {
  await using scene = await open();
  const { repo } = scene;
  const main = (await scene.head())!;
  expect((await merge(repo, ['side'])).reused).toBeUndefined();
  await settle(scene);
  await commit(repo, {});
  expect(scene.read()).toBe(SETTLED);
  expect(await remembered(repo)).toEqual({ enabled: true, count: 4 });
  await reset(repo, main, 'hard');
  await gc(repo, { grace: 0 });
  expect((await merge(repo, ['side'])).reused).toMatchObject({ resolved: 3, left: 0 });
  await commit(repo, {});
  expect(scene.read()).toBe(SETTLED);
  await scene.go('side');
  expect((await merge(repo, [main])).reused).toMatchObject({ resolved: 3, left: 0 });
  await commit(repo, {});
  expect(scene.read()).toBe(SETTLED);
  expect(await scene.problems()).toEqual([]);
});

test('what was given up is not remembered; what clashes otherwise is left', async () => {
  await using scene = await open();
  const { repo } = scene;
  const main = (await scene.head())!;
  await merge(repo, ['side']);
  await settle(scene);
  await abortMerge(repo);
  expect((await remembered(repo)).count).toBe(0);
  await merge(repo, ['side']);
  await settle(scene);
  await commit(repo, {});
  await reset(repo, main, 'hard');
  await scene.commit(OURS.replace('1,ours,10', '1,ours,12'), 'another number');
  const { reused } = await merge(repo, ['side']);
  expect(reused).toMatchObject({ resolved: 2, partly: 1, left: 1 });
  expect(await scene.conflicts()).toEqual(['1: b']);
});

test('a rebase that meets the same conflict is settled too', async () => {
  await using scene = await open();
  const { repo } = scene;
  await scene.go('side');
  const side = (await scene.head())!;
  await rebase(repo, 'main');
  await settle(scene);
  await continueSequence(repo, 'rebase');
  await reset(repo, side, 'hard');
  const stopped = await rebase(repo, 'main');
  expect(stopped.reused).toMatchObject({ resolved: 3, left: 0 });
  await continueSequence(repo, 'rebase');
  expect(await scene.problems()).toEqual([]);
});

test('off it remembers nothing and reuses nothing; forgotten it is gone', async () => {
  await using scene = await open('false');
  const { repo } = scene;
  const main = (await scene.head())!;
  const file = repositoryConfigFile(repo.dotDir);
  await merge(repo, ['side']);
  await settle(scene);
  await commit(repo, {});
  expect(await remembered(repo)).toEqual({ enabled: false, count: 0 });
  await reset(repo, main, 'hard');
  setConfig(file, 'rerere.enabled', 'true');
  await merge(repo, ['side']);
  await settle(scene);
  await commit(repo, {});
  expect(await forgetResolutions(repo, 'other.csv')).toBe(0);
  expect(await forgetResolutions(repo, FILE)).toBe(4);
  await reset(repo, main, 'hard');
  expect((await merge(repo, ['side'])).reused).toBeUndefined();
  for await (const problem of fsck(repo)) expect(problem).toBeUndefined();
});

test('fsck looks through what a merge in progress, the stash and rerere keep', async () => {
  await using scene = await open();
  const { repo } = scene;
  const paths = async (without: Hash) => {
    const store = overlay(withoutFilling(repo.store), {
      getMany: async (hashes) => {
        const chunks = await repo.store.getMany(hashes);
        return chunks.map((bytes, i) => (hashes[i] === without ? undefined : bytes));
      },
    });
    const found: string[] = [];
    for await (const { affects } of fsck({ ...repo, store, nodes: new NodeStore(store) })) {
      found.push(affects);
    }
    return found.join('; ');
  };
  await merge(repo, ['side']);
  const { state } = (await readMerge(repo.store))!;
  const [conflict] = state.conflicts;
  expect(conflict.kind === 'rows' && (await paths(conflict.tree))).toMatch(/merge in progress/);
  await settle(scene);
  await commit(repo, {});
  const { tree } = await readRemembered(repo.store);
  expect(await paths(tree!)).toMatch(/remembered resolutions/);
  scene.write(SETTLED.replace('settled', 'unfinished'));
  await stashPush(repo);
  const [{ commit: stashed }] = await listStash(repo);
  expect(await paths(stashed)).toMatch(/the stash/);
  for await (const problem of fsck(repo)) expect(problem).toBeUndefined();
});

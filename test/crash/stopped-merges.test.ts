/**
 * A process that is gone at any write of a merge, a rebase, a cherry-pick, a resolution, its
 * end or its giving up: the next one finds sound bytes, and either goes on to the result or
 * goes back to where it began. Every write is tried, as failed and as done with the answer lost.
 */
import { expect, test } from 'vitest';
import { readMerge } from '../../src/model/merge-state.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { fsck } from '../../src/porcelain/maintain.ts';
import { merge } from '../../src/porcelain/merge.ts';
import { cherryPick } from '../../src/porcelain/pick.ts';
import { rebase } from '../../src/porcelain/rebase.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { resolve } from '../../src/porcelain/resolve-choices.ts';
import { readSequence, type SequenceOperation } from '../../src/porcelain/sequence.ts';
import { abortSequence, continueSequence } from '../../src/porcelain/sequence-resume.ts';
import { abortMerge } from '../../src/porcelain/settle-merge.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { Branched, csv } from '../support/branched.ts';
import { failingStore, InjectedFailure } from '../support/store-failing.ts';

const table = (first: string, last: string): string => {
  const middle = Array.from({ length: 1500 }, (_, i) => `${i + 2},row ${i},${i}`);
  return csv('id,a,b', first, ...middle, last);
};
const BASE = table('1,x,1', '9999,z,1');
const OURS = table('1,ours,1', '9999,z,1');
const THEIRS = table('1,theirs,1', '9999,z,2');
const RESULT = THEIRS;

const theirs = { choice: { kind: 'side', side: 'theirs' } } as const;

interface Work {
  /** From the branch it begins on to its end, a step at a time. */
  readonly steps: readonly ((repo: Repository) => Promise<unknown>)[];
  readonly start: string;
  /** What a file shows where it began. */
  readonly before: string;
  readonly after: string;
  readonly operation?: SequenceOperation;
}

const end = (operation: SequenceOperation) => (repo: Repository) =>
  continueSequence(repo, operation);

const WORK: Readonly<Record<string, Work>> = {
  merge: {
    start: 'main',
    steps: [
      (repo) => merge(repo, ['side']),
      (repo) => resolve(repo, theirs),
      (repo) => commit(repo, {}),
    ],
    before: OURS,
    after: RESULT,
  },
  rebase: {
    start: 'side',
    steps: [(repo) => rebase(repo, 'main'), (repo) => resolve(repo, theirs), end('rebase')],
    before: THEIRS,
    after: RESULT,
    operation: 'rebase',
  },
  'cherry-pick': {
    start: 'main',
    steps: [
      (repo) => cherryPick(repo, ['side']),
      (repo) => resolve(repo, theirs),
      end('cherry-pick'),
    ],
    before: OURS,
    after: RESULT,
    operation: 'cherry-pick',
  },
};

/** Where the work stands, as its steps count. */
async function stepsDone({ repo }: Branched, begun: string): Promise<number> {
  const waiting = await readMerge(repo.store);
  if (waiting !== undefined) return waiting.state.conflicts.length > 0 ? 1 : 2;
  if ((await readSequence(repo.store)) !== undefined) return 2;
  return (await repo.store.getRef('refs/heads/main')) === begun.split(' ')[0] &&
    (await repo.store.getRef('refs/heads/side')) === begun.split(' ')[1]
    ? 0
    : 3;
}

const branches = async ({ repo }: Branched): Promise<string> =>
  `${await repo.store.getRef('refs/heads/main')} ${await repo.store.getRef('refs/heads/side')}`;

async function goBack(scene: Branched, { operation }: Work): Promise<void> {
  if (operation === undefined) await abortMerge(scene.repo);
  else await abortSequence(scene.repo, operation);
}

/** A scene in which `done` steps are done and a failing write ended the next one. */
async function killed(
  work: Work,
  done: number,
  failAt: number,
  afterwards: boolean,
): Promise<{ scene: Branched; begun: string; failed: boolean }> {
  const scene = await Branched.apart(BASE, OURS, THEIRS);
  await scene.go(work.start);
  const begun = await branches(scene);
  for (const step of work.steps.slice(0, done)) await step(scene.repo);
  const { store } = failingStore(scene.repo.store, { failAt, afterwards });
  const broken = { ...scene.repo, store, nodes: new NodeStore(store) };
  const failed = await work.steps[done](broken).then(
    () => false,
    (error: unknown) => {
      expect(error).toBeInstanceOf(InjectedFailure);
      return true;
    },
  );
  await scene.reopen();
  for await (const problem of fsck(scene.repo)) expect(problem).toBeUndefined();
  return { scene, begun, failed };
}

const cases = Object.entries(WORK).flatMap(([name, work]) =>
  work.steps.map((_, step) => [name, step + 1, work] as const),
);

test.each(cases)(
  '%s, gone in step %i: goes on, or back',
  async (_, step, work) => {
    let kills = 0;
    for (const afterwards of [false, true]) {
      for (let failAt = 1; ; failAt++) {
        const first = await killed(work, step - 1, failAt, afterwards);
        await using onward = first.scene;
        const done = await stepsDone(onward, first.begun);
        expect([step - 1, step]).toContain(done);
        for (const rest of work.steps.slice(done)) await rest(onward.repo);
        expect(onward.read()).toBe(work.after);
        expect(await onward.problems()).toEqual([]);
        if (!first.failed) break;
        kills += 1;
        const second = await killed(work, step - 1, failAt, afterwards);
        await using back = second.scene;
        if ([1, 2].includes(await stepsDone(back, second.begun))) {
          await goBack(back, work);
          expect(await branches(back)).toBe(second.begun);
          expect(back.read()).toBe(work.before);
        }
        expect(await back.problems()).toEqual([]);
      }
    }
    expect(kills).toBeGreaterThan(1);
  },
  120_000,
);

test.each(Object.entries(WORK))('giving up a %s, gone in the midst of it', async (_, work) => {
  let kills = 0;
  for (const afterwards of [false, true]) {
    for (let failAt = 1; ; failAt++) {
      await using scene = await Branched.apart(BASE, OURS, THEIRS);
      await scene.go(work.start);
      const begun = await branches(scene);
      await work.steps[0](scene.repo);
      const { store } = failingStore(scene.repo.store, { failAt, afterwards });
      const { repo } = scene;
      scene.repo = { ...repo, store, nodes: new NodeStore(store) };
      const failed = await goBack(scene, work).then(
        () => false,
        () => true,
      );
      scene.repo = repo;
      await scene.reopen();
      if ((await stepsDone(scene, begun)) === 1) await goBack(scene, work);
      expect(await branches(scene)).toBe(begun);
      expect(scene.read()).toBe(work.before);
      expect(await scene.problems()).toEqual([]);
      if (!failed) break;
      kills += 1;
    }
  }
  expect(kills).toBeGreaterThan(0);
});

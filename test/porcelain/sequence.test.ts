/** `cherry-pick`, `revert` and `rebase`: what they make, where they stop, and how they go on. */
import { describe, expect, test } from 'vitest';
import { readCommit } from '../../src/model/object-reader.ts';
import { listOperations } from '../../src/model/operations.ts';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { merge } from '../../src/porcelain/merge.ts';
import { cherryPick, revert } from '../../src/porcelain/pick.ts';
import { formatPlan, type PlannedStep, parsePlan, rebase } from '../../src/porcelain/rebase.ts';
import { resolveCommit } from '../../src/porcelain/repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { resolve } from '../../src/porcelain/resolve-choices.ts';
import {
  abortSequence,
  continueSequence,
  quitSequence,
  skipStep,
} from '../../src/porcelain/sequence-resume.ts';
import { Branched, csv } from '../support/branched.ts';

const ROWS = ['1,x', '2,y', '3,z'];
const table = (...rows: string[]): string => csv('id,a', ...rows);
const BASE = table(...ROWS);
const theirs = { choice: { kind: 'side', side: 'theirs' } } as const;

/** `side` has three commits: row 1 changed, row 4 added, row 2 changed. `main` has one: row 3. */
async function open(third = '3,main'): Promise<Branched> {
  const scene = await Branched.open(BASE);
  await scene.fork('side');
  await scene.commit(table('1,one', '2,y', '3,z'), 'one');
  await scene.commit(table('1,one', '2,y', '3,z', '4,four'), 'two');
  await scene.commit(table('1,one', '2,three', '3,z', '4,four'), 'three');
  await scene.go('main');
  await scene.commit(table('1,x', '2,y', third), 'main');
  return scene;
}

describe('cherry-pick', () => {
  test('brings what a commit changed, with its author and message, and no more', async () => {
    await using scene = await open();
    const { repo } = scene;
    const result = await cherryPick(repo, ['side~1'], { record: true });
    expect(result).toMatchObject({ outcome: 'done', skipped: [] });
    expect(scene.read()).toBe(table('1,x', '2,y', '3,main', '4,four'));
    const { message, parents } = await readCommit(repo.store, result.commit);
    expect(message).toMatch(/^two\n\n\(cherry picked from commit [0-9a-f]{64}\)$/);
    expect(parents.length).toBe(1);
    expect(await scene.problems()).toEqual([]);
  });

  test('of a range makes each commit, and leaves out what is there already', async () => {
    await using scene = await open();
    await cherryPick(scene.repo, ['side~1']);
    const result = await cherryPick(scene.repo, ['main~2..side']);
    expect([result.made.length, result.skipped.length]).toEqual([2, 1]);
    expect(await scene.messages()).toEqual(['three', 'one', 'two', 'main', 'base']);
    expect(scene.read()).toBe(table('1,one', '2,three', '3,main', '4,four'));
  });

  test('stops at a conflict, and goes on when it is resolved', async () => {
    await using scene = await open();
    await scene.commit(table('1,mine', '2,y', '3,main'), 'mine');
    const stopped = await cherryPick(scene.repo, ['main~2..side']);
    expect(stopped.outcome).toBe('conflicts');
    await scene.reopen();
    expect(await scene.conflicts()).toEqual(['1: a']);
    await expect(continueSequence(scene.repo, 'cherry-pick')).rejects.toMatchObject({
      code: 'conflicts-left',
    });
    await resolve(scene.repo, theirs);
    const done = await continueSequence(scene.repo, 'cherry-pick');
    expect([done.outcome, done.made.length]).toEqual(['done', 3]);
    expect(scene.read()).toBe(table('1,one', '2,three', '3,main', '4,four'));
    expect(await scene.messages()).toEqual(['three', 'two', 'one', 'mine', 'main', 'base']);
    expect(await scene.problems()).toEqual([]);
  });

  test('ended by a commit in its midst, goes on with the next', async () => {
    await using scene = await open();
    await scene.commit(table('1,mine', '2,y', '3,main'), 'mine');
    await cherryPick(scene.repo, ['main~2..side']);
    await resolve(scene.repo, theirs);
    await commit(scene.repo, { message: 'in my words' });
    const done = await continueSequence(scene.repo, 'cherry-pick');
    expect(done.outcome).toBe('done');
    expect(await scene.messages()).toEqual(['three', 'two', 'in my words', 'mine', 'main', 'base']);
  });

  test('is skipped, aborted, and quit', async () => {
    await using scene = await open();
    const mine = table('1,mine', '2,y', '3,main');
    const head = await scene.commit(mine, 'mine');
    await cherryPick(scene.repo, ['main~2..side']);
    expect((await skipStep(scene.repo, 'cherry-pick')).made.length).toBe(2);
    expect(scene.read()).toBe(table('1,mine', '2,three', '3,main', '4,four'));
    await reset(scene.repo, head, 'hard');
    await cherryPick(scene.repo, ['side', 'side~2']);
    expect(await scene.messages()).toContain('three');
    expect((await abortSequence(scene.repo, 'cherry-pick')).commit).toBe(head);
    expect(scene.read()).toBe(mine);
    expect(await scene.problems()).toEqual([]);
    await cherryPick(scene.repo, ['side', 'side~2']);
    await quitSequence(scene.repo, 'cherry-pick');
    await expect(continueSequence(scene.repo, 'cherry-pick')).rejects.toMatchObject({
      code: 'no-sequence',
    });
    expect((await scene.messages())[0]).toBe('three');
  });

  test('without a commit stages what it brings', async () => {
    await using scene = await open();
    const head = await scene.head();
    expect((await cherryPick(scene.repo, ['side'], { commit: false })).outcome).toBe('staged');
    expect(await scene.head()).toBe(head);
    await commit(scene.repo, { message: 'mine' });
    expect(scene.read()).toBe(table('1,x', '2,three', '3,main'));
  });
});

describe('revert', () => {
  test('takes back what commits changed, and keeps what came since', async () => {
    await using scene = await open();
    await merge(scene.repo, ['side']);
    await revert(scene.repo, ['side~1', 'side~2']);
    expect(scene.read()).toBe(table('1,x', '2,three', '3,main'));
    expect((await scene.messages())[0]).toMatch(/^Revert "one"\n\nThis reverts commit/);
    expect(await scene.problems()).toEqual([]);
  });

  test('of a merge needs to be told which side was before', async () => {
    await using scene = await open();
    await merge(scene.repo, ['side']);
    const head = await scene.head();
    await expect(revert(scene.repo, ['HEAD'])).rejects.toMatchObject({ code: 'merge-commit' });
    expect(await scene.head()).toBe(head);
    await expect(revert(scene.repo, ['HEAD'], { mainline: 3 })).rejects.toThrow();
    await revert(scene.repo, ['HEAD'], { mainline: 1 });
    expect(scene.read()).toBe(table('1,x', '2,y', '3,main'));
    await revert(scene.repo, ['HEAD']);
    await revert(scene.repo, ['HEAD~2'], { mainline: 2 });
    expect(scene.read()).toBe(table('1,one', '2,three', '3,z', '4,four'));
  });
});

describe('rebase', () => {
  test('puts the commits of a branch on another, and the branch with them', async () => {
    await using scene = await open();
    await scene.go('side');
    const result = await rebase(scene.repo, 'main');
    expect([result.outcome, result.made.length]).toEqual(['done', 3]);
    expect(await scene.messages()).toEqual(['three', 'two', 'one', 'main', 'base']);
    expect(scene.read()).toBe(table('1,one', '2,three', '3,main', '4,four'));
    expect(await resolveCommit(scene.repo, 'side')).toBe(await scene.head());
    expect(await scene.problems()).toEqual([]);
  });

  test('waits on no branch, and the branch moves at the end; or goes back', async () => {
    await using scene = await open();
    await scene.commit(table('1,mine', '2,y', '3,main'), 'mine');
    await scene.go('side');
    const before = await scene.head();
    expect((await rebase(scene.repo, 'main')).outcome).toBe('conflicts');
    expect(await resolveCommit(scene.repo, 'side')).toBe(before);
    await abortSequence(scene.repo, 'rebase');
    expect([await scene.head(), scene.read()]).toEqual([
      before,
      table('1,one', '2,three', '3,z', '4,four'),
    ]);
    expect(await scene.problems()).toEqual([]);
    await rebase(scene.repo, 'main');
    await scene.reopen();
    await resolve(scene.repo, theirs);
    const done = await continueSequence(scene.repo, 'rebase');
    expect(done.outcome).toBe('done');
    expect(await resolveCommit(scene.repo, 'side')).toBe(done.commit);
    expect(scene.read()).toBe(table('1,one', '2,three', '3,main', '4,four'));
    expect(await scene.problems()).toEqual([]);
  });

  test('onto a commit leaves out what upstream has', async () => {
    await using scene = await open();
    await rebase(scene.repo, 'side~1', { onto: 'main', branch: 'side' });
    expect(await scene.messages()).toEqual(['three', 'main', 'base']);
    expect(scene.read()).toBe(table('1,x', '2,three', '3,main'));
  });

  const plan = (edit: (lines: string[]) => string[]) => async (steps: readonly PlannedStep[]) =>
    parsePlan(edit(formatPlan(steps).trimEnd().split('\n')).join('\n'), steps);

  test('by a plan: other order, dropped, squashed, reworded', async () => {
    await using scene = await open();
    await scene.go('side');
    const edit = plan(([one, two, three]) => [
      three,
      one.replace('pick', 'squash'),
      `# ${two}`,
      two.replace('pick', 'drop'),
    ]);
    await rebase(scene.repo, 'main', { plan: edit });
    expect(await scene.messages()).toEqual(['three\n\none', 'main', 'base']);
    expect(scene.read()).toBe(table('1,one', '2,three', '3,main'));
    await reset(scene.repo, 'side@{1}', 'hard');
    await rebase(scene.repo, 'main', {
      plan: async (steps) => {
        const [one, two, three] = await plan((lines) => lines)(steps);
        return [
          { ...one, action: 'reword', message: 'better' },
          { ...two, action: 'fixup' },
          three,
        ];
      },
    });
    expect(await scene.messages()).toEqual(['three', 'better', 'main', 'base']);
    expect(scene.read()).toBe(table('1,one', '2,three', '3,main', '4,four'));
    expect(await scene.problems()).toEqual([]);
  });

  test('by a plan that drops every commit', async () => {
    await using scene = await open();
    await scene.go('side');
    const edit = plan((lines) => lines.map((line) => line.replace('pick', 'drop')));
    await rebase(scene.repo, 'main', { plan: edit });
    expect(await scene.messages()).toEqual(['main', 'base']);
    expect(await scene.problems()).toEqual([]);
  });

  test('that has nothing to move is no operation', async () => {
    await using scene = await open();
    const before = await listOperations(scene.repo.store);
    const result = await rebase(scene.repo, 'main~1');
    expect(result).toMatchObject({ outcome: 'up-to-date', made: [], commit: await scene.head() });
    expect(await listOperations(scene.repo.store)).toEqual(before);
  });

  test('asks for no plan while something is staged', async () => {
    await using scene = await open();
    scene.write(table('1,staged', '2,y', '3,main'));
    await add(scene.repo, [scene.path]);
    const asked = rebase(scene.repo, 'main~1', {
      plan: () => {
        throw new Error('a plan was asked for');
      },
    });
    await expect(asked).rejects.toMatchObject({ code: 'unsaved-changes' });
  });

  test('stops to let a commit be edited', async () => {
    await using scene = await open();
    await scene.go('side');
    const edit = plan(([one, two, three]) => [one, two.replace('pick', 'edit'), three]);
    expect((await rebase(scene.repo, 'main', { plan: edit })).outcome).toBe('edit');
    expect(scene.read()).toBe(table('1,one', '2,y', '3,main', '4,four'));
    scene.write(table('1,one', '2,y', '3,main', '4,vier'));
    await commit(scene.repo, { message: 'zwei', amend: true, all: true });
    await continueSequence(scene.repo, 'rebase');
    expect(await scene.messages()).toEqual(['three', 'zwei', 'one', 'main', 'base']);
    expect(scene.read()).toBe(table('1,one', '2,three', '3,main', '4,vier'));
  });

  const bad: [string, (lines: string[]) => string[]][] = [
    ['a word that is none', ([one]) => [one.replace('pick', 'pack')]],
    ['a commit that is not there', () => ['pick ffffffffffff']],
    ['a commit twice', ([one]) => [one, one]],
    ['nothing in it', ([one]) => [`# ${one}`]],
    ['a commit to drop that is not there', () => ['drop ffffffffffff']],
    ['nothing to squash into', ([one]) => [one.replace('pick', 'squash')]],
  ];

  test.each(bad)('a plan with %s is refused, and nothing changes', async (_, edit) => {
    await using scene = await open();
    await scene.go('side');
    const before = await scene.head();
    await expect(rebase(scene.repo, 'main', { plan: plan(edit) })).rejects.toMatchObject({
      code: 'bad-plan',
    });
    expect(await scene.head()).toBe(before);
    expect(await scene.problems()).toEqual([]);
  });

  test('loses its base: told, and nothing changes', async () => {
    await using scene = await open();
    await scene.go('side');
    const before = await scene.head();
    await expect(rebase(scene.repo, 'gone')).rejects.toMatchObject({ code: 'bad-revision' });
    expect(await scene.head()).toBe(before);
    expect(await scene.problems()).toEqual([]);
  });

  test('a branch that somebody moved meanwhile is not overwritten', async () => {
    await using scene = await open();
    await scene.commit(table('1,mine', '2,y', '3,main'), 'mine');
    await scene.go('side');
    await rebase(scene.repo, 'main');
    await resolve(scene.repo, theirs);
    const { store } = scene.repo;
    const [old, base] = [
      await resolveCommit(scene.repo, 'side'),
      await resolveCommit(scene.repo, 'main~2'),
    ];
    await store.transact({ refs: [{ name: 'refs/heads/side', old, new: base }] });
    await expect(continueSequence(scene.repo, 'rebase')).rejects.toMatchObject({
      code: 'ref-moved',
    });
    expect(await resolveCommit(scene.repo, 'side')).toBe(base);
  });
});

test('revisions as of a time: those that were typed, and HEAD as it is', async () => {
  await using scene = await open();
  const { repo } = scene;
  const two = await readCommit(repo.store, await resolveCommit(repo, 'side~1'));
  const then = { ...repo, asOf: two.committer.time };
  await scene.go('main');
  await cherryPick(then, ['side']);
  expect(await scene.messages()).toEqual(['two', 'main', 'base']);
  await revert(then, ['side~0']);
  expect((await scene.messages())[0]).toMatch(/^Revert "two"\n/);
  await scene.go('side');
  await rebase({ ...repo, asOf: two.committer.time }, 'main');
  expect(await scene.messages()).toEqual(['three', 'two', 'one', 'base']);
});

test('one at a time, and none over work in the way', async () => {
  await using scene = await open();
  await scene.commit(table('1,mine', '2,y', '3,main'), 'mine');
  scene.write(table('1,unsaved', '2,y', '3,main'));
  await expect(cherryPick(scene.repo, ['side'])).rejects.toMatchObject({
    code: 'unsaved-changes',
  });
  scene.write(table('1,mine', '2,y', '3,main'));
  await cherryPick(scene.repo, ['side~2']);
  await expect(rebase(scene.repo, 'side')).rejects.toMatchObject({ code: 'sequence-in-progress' });
  await expect(merge(scene.repo, ['side'])).rejects.toMatchObject({ code: 'merge-in-progress' });
  await expect(abortSequence(scene.repo, 'rebase')).rejects.toMatchObject({ code: 'no-sequence' });
});

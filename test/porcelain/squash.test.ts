/** `dv squash`: fewer commits, the same rows at the end of every period, and a way back. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { readSources } from '../../src/live/source-offsets.ts';
import { isAncestor, walkHistory } from '../../src/model/history.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { encodeCommit, type Person, toChunk } from '../../src/model/objects.ts';
import { squash } from '../../src/porcelain/squash.ts';
import { EMPTY_TREE, EMPTY_TREE_BYTES } from '../../src/prolly/node-writer.ts';
import type { Store } from '../../src/store/contract.ts';
import { temporaryRepository, testEnvironment } from '../support/repository.ts';

const HOUR = 60 * 60 * 1000;
const NOW = Date.UTC(2026, 5, 1);
const DAY = 24 * HOUR;

/** Each commit has a root of its own: a plain tree of one name. */
async function commitAt(
  store: Store,
  time: number,
  parents: readonly Hash[],
  extra: Record<string, unknown> = {},
): Promise<Hash> {
  const person: Person = { name: 'Ada', email: 'a@b', time, zone: 0 };
  const above = await Promise.all(parents.map((hash) => readCommit(store, hash)));
  const generation = 1 + Math.max(0, ...above.map((commit) => commit.generation));
  const commit = toChunk(
    encodeCommit({
      root: EMPTY_TREE,
      parents,
      author: person,
      committer: person,
      message: `at ${time}`,
      clock: { ms: time, counter: generation, node: 'aa' },
      generation,
      extra,
    }),
  );
  await store.putMany([{ hash: EMPTY_TREE, bytes: EMPTY_TREE_BYTES }, commit]);
  return commit.hash;
}

async function lineFrom(store: Store, head: Hash) {
  const line = [];
  for await (const one of walkHistory(store, [head], { firstParent: true })) line.push(one);
  return line.reverse();
}

/** Its last commit is half a minute newer than the cutoff. */
const AT_THE_CUTOFF = [15, 104, 112, 96, 137, 16].map((minutes): [number, number, boolean] => [
  minutes,
  0,
  false,
]);

it('keeps the last commit of every period, and all newer ones in their shape', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(200), fc.nat(4), fc.boolean()), { minLength: 1, maxLength: 30 }),
      async (script) => {
        await using scene = await temporaryRepository({
          ...testEnvironment(NOW),
          now: () => NOW, // the cutoff stands still, whatever else asks for the time
        });
        const { repo } = scene;
        const { store } = repo;
        let time = NOW - 20 * HOUR + 30_000; // never at the cutoff itself
        let head: Hash | undefined;
        const sides: Hash[] = [];
        for (const [minutes, what, hasSource] of script) {
          time += minutes * 60_000;
          const extra = hasSource ? { source: { s: { 0: `${time}` } } } : {};
          const parents: Hash[] = head === undefined ? [] : [head];
          if (what === 0 && head !== undefined) {
            sides.push(await commitAt(store, time, [head], { side: true })); // not as the next one
          }
          if (what === 1 && sides.length > 0) parents.push(sides.pop() as Hash);
          head = await commitAt(store, time, parents, extra);
        }
        const old = head as Hash;
        await store.transact({ refs: [{ name: 'refs/heads/main', old: null, new: old }] });
        const before = await lineFrom(store, old);
        const result = await squash(repo, { olderThan: 12 * HOUR, by: 'hour' });
        const after = await lineFrom(store, result.new);
        // the obvious reading: drop a commit whose follower is of the same hour and old too
        const cutoff = NOW - 12 * HOUR;
        const firstNew = before.findLastIndex(({ commit }) => commit.committer.time < cutoff) + 1;
        const hour = (i: number) => Math.floor(before[i].commit.committer.time / HOUR);
        const wanted = before.filter((_, i) => i >= firstNew - 1 || hour(i) !== hour(i + 1));
        const told = ({ commit }: (typeof before)[number]) => [
          commit.committer.time,
          commit.message.replace(/\n\n\(stands.*/s, ''),
          commit.root,
        ];
        expect(after.map(told)).toEqual(wanted.map(told));
        const counts = after.slice(0, result.after).map(({ commit }) => commit.extra.squashed ?? 1);
        expect(counts.reduce<number>((sum, n) => sum + (n as number), 0)).toBe(firstNew);
        for await (const { commit } of walkHistory(store, [result.new])) {
          const above = await Promise.all(commit.parents.map((hash) => readCommit(store, hash)));
          expect(commit.generation).toBe(1 + Math.max(0, ...above.map((one) => one.generation)));
        }
        const newer = after.slice(result.after);
        expect(newer.map(({ commit }) => commit.parents.length)).toEqual(
          before.slice(firstNew).map(({ commit }) => commit.parents.length),
        );
        expect(await readSources(store, result.new)).toEqual(await readSources(store, old));
        const again = await squash(repo, { olderThan: 12 * HOUR, by: 'hour' });
        expect(again.new).toBe(result.new);
        const [entry] = await store.readLog('refs/heads/main', 1);
        expect(entry.new === old || entry.old === old).toBe(true);
      },
    ),
    { numRuns: 25, examples: [[AT_THE_CUTOFF]] },
  );
}, 120_000);

it('says what it would do, moves only the branch, and names who keeps the old commits', async () => {
  await using scene = await temporaryRepository(testEnvironment(NOW));
  const { repo } = scene;
  const { store } = repo;
  let head: Hash | undefined;
  for (let i = 0; i < 48; i++) {
    head = await commitAt(store, NOW - 10 * DAY + i * HOUR, head === undefined ? [] : [head]);
  }
  const old = head as Hash;
  const refs = ['refs/heads/main', 'refs/tags/v1'].map((name) => ({ name, old: null, new: old }));
  await store.transact({ refs });
  const options = { olderThan: 7 * DAY, by: 'day' } as const;
  const dry = await squash(repo, { ...options, dryRun: true });
  expect(dry).toMatchObject({
    branch: 'main',
    old,
    before: 48,
    after: 2,
    moved: 0,
    keptBy: ['v1'],
  });
  expect(await store.getRef('refs/heads/main')).toBe(old);
  expect(await store.hasMany([dry.new])).toEqual([false]);
  const done = await squash(repo, options);
  expect(done.new).toBe(dry.new);
  expect(await store.getRef('refs/heads/main')).toBe(done.new);
  expect(await store.getRef('refs/tags/v1')).toBe(old);
  expect((await readCommit(store, done.new)).message).toContain(
    '(stands for 24 commits since 2026-',
  );
  await expect(squash(repo, { ...options, branch: 'none' })).rejects.toMatchObject({
    code: 'unknown-ref',
  });
  expect(await isAncestor(store, old, done.new)).toBe(false);
});

it('a branch that others move meanwhile is squashed with what they added', async () => {
  await using scene = await temporaryRepository(testEnvironment(NOW));
  const { repo } = scene;
  let head: Hash | undefined;
  for (let i = 0; i < 10; i++) {
    head = await commitAt(repo.store, NOW - DAY + i * 60_000, head === undefined ? [] : [head]);
  }
  const refs = [{ name: 'refs/heads/main', old: null, new: head as Hash }];
  await repo.store.transact({ refs });
  let others = 3;
  const store = new Proxy(repo.store, {
    get(target, name) {
      if (name !== 'transact' || others === 0) {
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (...args: Parameters<Store['transact']>) => {
        others -= 1;
        const from = (await target.getRef('refs/heads/main')) as Hash;
        const added = await commitAt(target, NOW + others, [from]);
        await target.transact({ refs: [{ name: 'refs/heads/main', old: from, new: added }] });
        return target.transact(...args);
      };
    },
  });
  const result = await squash({ ...repo, store }, { olderThan: 12 * HOUR, by: 'day' });
  expect(result).toMatchObject({ before: 10, after: 1, moved: 3 });
  const line = await lineFrom(repo.store, result.new);
  expect(line.map(({ commit }) => commit.generation)).toEqual([1, 2, 3, 4]);
  expect(await repo.store.getRef('refs/heads/main')).toBe(result.new);
});

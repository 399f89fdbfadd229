/** Fetching and pushing whole histories: what arrives is what was there, and no more is sent. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import { selectHaves } from '../../src/sync/negotiate.ts';
import type { RefCommand } from '../../src/sync/protocol.ts';
import { pushFrom } from '../../src/sync/push-from.ts';
import { problems, RETRY, remoteOver, rows, Scene } from '../support/sync-scene.ts';

type Store = Scene['store'];

/** Fetches all branches of `from` into `to`, and moves `to`'s branches there. */
async function fetchAll(from: Store, to: Store) {
  const remote = remoteOver(from);
  const { refs } = await remote.refs();
  const wants = refs.map(({ hash }) => hash);
  const haves = await selectHaves(to);
  const fetched = await fetchInto(remote, to, { wants, haves }, RETRY);
  const moves = [];
  for (const { name, hash } of refs) {
    moves.push({ name, old: (await to.getRef(name)) ?? null, new: hash });
  }
  expect(await fetched.commit({ refs: moves })).toEqual({ done: true });
  return fetched;
}

const history = fc.array(
  fc.record({
    branch: fc.constantFrom('main', 'other'),
    merge: fc.boolean(),
    table: fc.constantFrom('a.csv', 'b.csv', 'c/d.csv'),
    from: fc.nat(4000),
    count: fc.nat(600),
    gone: fc.boolean(),
    long: fc.boolean(),
    file: fc.option(fc.nat(200_000), { nil: undefined }),
    fetch: fc.boolean(),
  }),
  { minLength: 1, maxLength: 10 },
);

async function play(
  scene: Scene,
  step: (typeof history extends fc.Arbitrary<infer T> ? T : never)[number],
  n: number,
) {
  const head = await scene.head(step.branch);
  const other = await scene.head(step.branch === 'main' ? 'other' : 'main');
  const parents =
    head === undefined
      ? other
        ? [other]
        : []
      : step.merge && other && other !== head
        ? [head, other]
        : [head];
  const text = (id: number) =>
    step.long && id % 200 === 0 ? `${id} ${n} `.repeat(5000) : `${id} ${n}`;
  const edits = rows(step.from, step.from + step.count, text);
  const tables = {
    [step.table]: step.gone ? new Map([...edits.keys()].map((id) => [id, null])) : edits,
  };
  const files: Record<string, Uint8Array> =
    step.file === undefined ? {} : { 'f.bin': Buffer.alloc(step.file, `${n}abcdefg`) };
  await scene.commit({ branch: step.branch, parents, tables, files });
}

describe('random histories', () => {
  it('arrive whole, in one go or in several', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const scene = new Scene();
        const copy = createMemoryStore();
        for (const [n, step] of steps.entries()) {
          await play(scene, step, n);
          if (step.fetch) await fetchAll(scene.store, copy);
        }
        await fetchAll(scene.store, copy);
        expect(await copy.listRefs('')).toEqual(await scene.store.listRefs(''));
        expect(await problems(copy)).toEqual([]);
        expect(await copy.listTransfers()).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('are pushed as well as fetched', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const scene = new Scene();
        const copy = createMemoryStore();
        const remote = remoteOver(copy);
        for (const [n, step] of steps.entries()) {
          await play(scene, step, n);
          if (!step.fetch && n < steps.length - 1) continue;
          const updates: RefCommand[] = [];
          for (const { name, hash } of await scene.store.listRefs('refs/heads/')) {
            const old = (await copy.getRef(name)) ?? null;
            updates.push({ ref: name, old, new: hash, strategy: 'ff-only' });
          }
          const { outcomes } = await pushFrom(
            remote,
            scene.store,
            { updates, atomic: true },
            RETRY,
          );
          expect(outcomes.map(({ status }) => status)).toEqual(updates.map(() => 'ok'));
        }
        expect(await copy.listRefs('')).toEqual(await scene.store.listRefs(''));
        expect(await problems(copy)).toEqual([]);
        expect(await copy.listTransfers()).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});

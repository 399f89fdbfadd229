/** Pushes to one branch that wait for the disk together, when the disk does not do its part. */
import { expect, it } from 'vitest';
import { DvError } from '../../src/errors.ts';
import type { Hash } from '../../src/hash.ts';
import { isAncestor } from '../../src/model/history.ts';
import type { Store, TransactResult } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { PushStrategy } from '../../src/sync/protocol.ts';
import { sendPack } from '../../src/sync/sender.ts';
import { bytesOf } from '../support/pack-frames.ts';
import { ANYBODY, problems, rows, Scene, serviceOver } from '../support/sync-scene.ts';

const MAIN = 'refs/heads/main';

type Fate = 'done' | 'lost' | 'failed';

/** A store whose transactions wait until they are told how they end, in the order they came. */
class HeldStore {
  readonly memory = createMemoryStore();
  readonly waiting: ((fate: Fate) => Promise<void>)[] = [];
  readonly store: Store = {
    ...this.memory,
    transact: (transaction, chunks) =>
      new Promise<TransactResult>((resolve, reject) => {
        this.waiting.push(async (fate) => {
          if (fate === 'failed') reject(new DvError('disk-full', 'the disk is full'));
          else if (fate === 'lost') resolve({ done: false, name: MAIN });
          else await this.memory.transact(transaction, chunks).then(resolve, reject);
        });
      }),
  };

  /** Ends all that wait, and those that come of it. */
  async end(fates: () => Fate): Promise<void> {
    for (let idle = 0; idle < 20; ) {
      const next = this.waiting.shift();
      idle = next === undefined ? idle + 1 : 0;
      await next?.(fates());
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function startWith(count: number) {
  const held = new HeldStore();
  const server = new Scene(held.memory);
  const base = await server.commit({ tables: { a: rows(0, 400) } });
  await serviceOver(held.memory).refs(); // the feed has its epoch: what waits is pushes
  const service = serviceOver(held.store);
  const pushes = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const scene = new Scene();
      await scene.commit({ tables: { a: rows(0, 400) } });
      const edit = rows(n * 9, n * 9 + 1, () => `by ${n}`);
      const head = await scene.commit({ tables: { a: edit }, message: `${n}` });
      return { head, pack: await bytesOf(sendPack(scene.store, { wants: [head], haves: [base] })) };
    }),
  );
  const push = (n: number, strategy: PushStrategy = 'merge') => {
    const { head, pack } = pushes[n];
    const updates = [{ ref: MAIN, old: base, new: head, strategy }];
    return service.push(ANYBODY, { updates, atomic: false }, pack);
  };
  return { held, base, heads: pushes.map(({ head }) => head), push };
}

it('gives the store all of them before the first is durable, and tells nobody', async () => {
  const { held, base, heads, push } = await startWith(6);
  let answered = 0;
  const pushes = heads.map((_, n) => push(n).finally(() => (answered += 1)));
  await expect.poll(() => held.waiting.length).toBe(6);
  expect([answered, await held.memory.getRef(MAIN)]).toEqual([0, base]);
  await held.end(() => 'done');
  for (const answer of await Promise.all(pushes)) {
    expect(answer).toMatchObject({ outcomes: [{ status: expect.stringMatching(/ok|merged/) }] });
  }
  const main = (await held.memory.getRef(MAIN)) as Hash;
  for (const head of heads) expect(await isAncestor(held.memory, head, main)).toBe(true);
  expect(await problems(held.memory)).toEqual([]);
});

it('what loses or fails takes those behind it along, and they are judged again', async () => {
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const seen = new Set<string>();
  for (let round = 0; round < 25; round++) {
    const { held, heads, push } = await startWith(5);
    const pushes = heads.map((_, n) =>
      push(n).then(
        (answer) => (answer.kind === 'done' ? answer.outcomes[0].status : answer.kind),
        (error: DvError) => error.code,
      ),
    );
    await held.end(() => (random() < 0.6 ? 'done' : random() < 0.5 ? 'lost' : 'failed'));
    const main = (await held.memory.getRef(MAIN)) as Hash;
    for (const [n, outcome] of (await Promise.all(pushes)).entries()) {
      seen.add(outcome);
      const isIn =
        (await held.memory.hasMany([heads[n]]))[0] &&
        (await isAncestor(held.memory, heads[n], main));
      expect([outcome, isIn]).toEqual([outcome, outcome !== 'disk-full']);
    }
    expect(await problems(held.memory)).toEqual([]);
  }
  expect([...seen].sort()).toEqual(['disk-full', 'merged', 'ok']);
});

it('what is there only if another push succeeds is answered when it has, and done if not', async () => {
  for (const fate of ['done', 'failed'] as const) {
    const { held, base, heads, push } = await startWith(1);
    const first = push(0, 'ff-only').catch((error: DvError) => error.code);
    await expect.poll(() => held.waiting.length).toBe(1);
    let isAnswered = false;
    const same = push(0).finally(() => {
      isAnswered = true;
    });
    await expect.poll(() => held.waiting.length).toBe(2);
    await held.waiting.pop()?.('done'); // it changes no ref
    await new Promise((resolve) => setImmediate(resolve));
    expect([isAnswered, await held.memory.getRef(MAIN)]).toEqual([false, base]);
    await held.waiting.shift()?.(fate);
    await held.end(() => 'done');
    expect(await same).toMatchObject({ outcomes: [{ status: 'ok', hash: heads[0] }] });
    expect(await held.memory.getRef(MAIN)).toBe(heads[0]);
    if (fate === 'failed') expect(await first).toBe('disk-full');
  }
});

it('a refusal because of a head that never came to be is judged again', async () => {
  const { held, heads, push } = await startWith(2);
  const first = push(0, 'ff-only').catch((error: DvError) => error.code);
  await expect.poll(() => held.waiting.length).toBe(1);
  const second = push(1, 'ff-only');
  await new Promise((resolve) => setImmediate(resolve));
  await held.waiting.shift()?.('failed');
  await held.end(() => 'done');
  expect(await first).toBe('disk-full');
  expect(await second).toMatchObject({ outcomes: [{ status: 'ok', hash: heads[1] }] });
});

/**
 * A process that pushes to `main` of a server which comes and goes, and reads where it is:
 *
 *   node test/support/ref-pusher.ts URL NAME OPERATIONS SEED
 *
 * Every commit brings two rows of its own, in a store of its own. Most are pushed with `merge`,
 * from a line of its own that rarely takes in what others did; the rest with `ff-only` on top of
 * what it fetched. Half of the pushes are tried once only, so that lost answers stay unknown.
 * Prints a line of JSON an operation; moments in microseconds of the clock all processes share.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DvError } from '../../src/errors.ts';
import type { Hash } from '../../src/hash.ts';
import { createRowWriter } from '../../src/live/writer.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import { openHttpRemote } from '../../src/sync/http-remote.ts';
import type { PushStrategy } from '../../src/sync/protocol.ts';
import { pushFrom } from '../../src/sync/push-from.ts';
import type { PushOperation, ReadOperation } from './ref-history.ts';

/** What is printed: an operation, and of a push the rows it brings. */
export type PusherLine = (PushOperation & { readonly ids: readonly string[] }) | ReadOperation;

/** Of what is to be a fast-forward, on top of what was fetched anew. */
const TRIES = 3;
const MAIN = 'refs/heads/main';
const [url, name, operations, seed] = process.argv.slice(2);
const retry = { sleep: (ms: number) => sleep(ms), random: Math.random };
const patient = { ...retry, attempts: 40 };
const store = createMemoryStore({ now: Date.now });
const writer = createRowWriter(store, {
  now: Date.now,
  randomId: () => randomBytes(8).toString('hex'),
});
const remote = openHttpRemote(url, { software: 'dv test', stallMs: 5000 });

/** Numerical Recipes' generator: the same choices in every run of a seed. */
let state = Number(seed);
function chance(part: number): boolean {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32 < part;
}

const moment = (): number => Number(process.hrtime.bigint() / 1000n);
const say = (line: PusherLine): void => {
  writeSync(1, `${JSON.stringify(line)}\n`);
};

/** Where `main` is, however long that takes: not an operation of the record. */
async function fetchMain(): Promise<Hash> {
  for (;;) {
    try {
      const { refs } = await remote.refs(MAIN);
      const [{ hash }] = refs;
      const fetched = await fetchInto(
        remote,
        store,
        { wants: [hash], haves: await heads() },
        patient,
      );
      await fetched.commit({ refs: [] });
      return hash;
    } catch (error) {
      if (!(error instanceof DvError) || error.kind !== 'remote') throw error;
      await sleep(50);
    }
  }
}

const heads = async (): Promise<Hash[]> =>
  (await store.listRefs('refs/heads/')).map(({ hash }) => hash).slice(-16);

async function read(): Promise<void> {
  const invoked = moment();
  try {
    const address = `${url.replace('/data', '/v1/repos/data')}/${MAIN}?consistent=1`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(5000) });
    const { hash } = (await answer.json()) as { hash?: string };
    if (hash === undefined) throw new Error(`answered ${answer.status}`);
    say({ kind: 'read', head: hash, invoked, returned: moment() });
  } catch {
    await sleep(50); // nothing was learnt: not an operation
  }
}

async function push(
  branch: string,
  old: Hash,
  strategy: PushStrategy,
  n: string,
): Promise<boolean> {
  const ids = [`${name}-${n}-a`, `${name}-${n}-b`];
  const writes = ids.map((id) => ({ op: 'upsert', cells: { id, name } }) as const);
  const { commit } = await writer.write({
    branch,
    tables: [{ table: 't', key: ['id'], writes }],
    message: `${name} ${n}`,
    author: { name, email: '' },
  });
  const request = { updates: [{ ref: MAIN, old, new: commit, strategy }], atomic: false };
  const attempts = chance(0.5) ? 1 : 40;
  const refs = { head: null, cursor: '', refs: [{ name: MAIN, hash: old }] };
  let isSettled = true;
  const onRetry = () => {
    isSettled = false;
  };
  const invoked = moment();
  try {
    const options = { ...retry, attempts, refs, onRetry };
    const { outcomes } = await pushFrom(remote, store, request, options);
    const returned = moment();
    const [one] = outcomes;
    const told = one.status === 'refused' ? one.head : one.hash;
    const outcome = one.status === 'refused' ? 'refused' : 'accepted';
    // of an answer that was settled by asking only this is known: the commit is in the history
    const head = told === commit && !isSettled ? null : told;
    say({ kind: 'push', commit, ids, outcome, head, invoked, returned });
    return outcome !== 'refused';
  } catch (error) {
    if (!(error instanceof DvError) || error.kind !== 'remote') throw error;
    say({ kind: 'push', commit, ids, outcome: 'unknown', head: null, invoked, returned: moment() });
    await sleep(50);
    return true;
  }
}

let base = await fetchMain();
let line = 0;
async function startLine(): Promise<void> {
  line += 1;
  await store.transact({ refs: [{ name: `refs/heads/line-${line}`, old: null, new: base }] });
}
await startLine();
for (let n = 0; n < Number(operations); n++) {
  await read();
  if (chance(0.3)) {
    for (let tries = 0, done = false; tries < TRIES && !done; tries++) {
      base = await fetchMain();
      await startLine();
      done = await push(`line-${line}`, base, 'ff-only', `${n}-${tries}`);
    }
    await startLine();
  } else await push(`line-${line}`, base, 'merge', String(n));
}
await read();
await writer.close();
await remote.close();

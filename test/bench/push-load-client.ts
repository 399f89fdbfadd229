/**
 * Some clients of push-load.ts, in a process of their own. Each has a store with the base
 * commit, makes a chain of one-row commits and the pack of each, and then pushes them one
 * behind the other. Told what to do on standard input, a line a phase; answers a line of JSON.
 */

import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Pool } from 'undici';
import type { Hash } from '../../src/hash.ts';
import { createRowWriter } from '../../src/live/writer.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { sendPack } from '../../src/sync/sender.ts';

const [url, directory, first, count, pushes, strategy] = process.argv.slice(2);
const HEALTH_SECONDS = 2;

interface Push {
  readonly body: Buffer;
  readonly commit: Hash;
}

interface Client {
  readonly branch: string;
  readonly pushes: readonly Push[];
}

async function prepare(): Promise<Client[]> {
  const copy = mkdtempSync(join(tmpdir(), 'dv-push-client-'));
  try {
    cpSync(join(directory, 'data/.dv/store.db'), join(copy, 'store.db'));
    const store = await openSqliteStore(join(copy, 'store.db'), { now: Date.now });
    const base = (await store.getRef('refs/heads/main')) as Hash;
    const writer = createRowWriter(store, {
      now: Date.now,
      randomId: () => randomBytes(8).toString('hex'),
    });
    const clients: Client[] = [];
    for (let i = 0; i < Number(count); i++) {
      const branch = `client-${Number(first) + i}`;
      await store.transact({ refs: [{ name: `refs/heads/${branch}`, old: null, new: base }] });
      clients.push({ branch, pushes: await makePushes(branch, Number(first) + i, base) });
    }
    await writer.close();
    await store.close();
    return clients;

    async function makePushes(branch: string, client: number, base: Hash): Promise<Push[]> {
      const made: Push[] = [];
      let head = base;
      for (let n = 0; n < Number(pushes); n++) {
        // Rows of different clients differ, so that merges never conflict.
        const id = String(((client * Number(pushes) + n) * 3) % 10_000);
        const { commit } = await writer.write({
          branch,
          tables: [
            { table: 't.csv', writes: [{ op: 'patch', cells: { id, name: `${branch} ${n}` } }] },
          ],
          message: `${branch} ${n}`,
          author: { name: 'Bench', email: 'bench@example.org' },
        });
        made.push({ commit, body: await bodyOf(branch, n === 0 ? null : head, head, commit) });
        head = commit;
      }
      return made;
    }

    async function bodyOf(branch: string, old: Hash | null, have: Hash, commit: Hash) {
      const ref = strategy === 'merge' ? 'refs/heads/main' : `refs/heads/${branch}`;
      const from = strategy === 'merge' ? have : old;
      const updates = [{ ref, old: from, new: commit, strategy }];
      const head = Buffer.from(JSON.stringify({ updates, atomic: false }));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(head.length);
      const pack: Uint8Array[] = [];
      for await (const piece of sendPack(store, { wants: [commit], haves: [have] }))
        pack.push(piece);
      return Buffer.concat([length, head, ...pack]);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function pushAll(pool: Pool, clients: readonly Client[]) {
  const heads: Record<string, string> = {};
  const latencies: number[] = [];
  let accepted = 0;
  let refused = 0;
  const start = performance.now();
  await Promise.all(
    clients.map(async ({ branch, pushes }) => {
      for (const { body, commit } of pushes) {
        const begun = performance.now();
        const answer = await pool.request({
          method: 'POST',
          path: '/v1/repos/data/push',
          headers: { 'content-type': 'application/vnd.dv.push' },
          body,
        });
        const said = (await answer.body.json()) as { outcomes?: { status: string }[] };
        latencies.push(performance.now() - begun);
        const status = said.outcomes?.[0].status;
        if (status === 'ok' || status === 'merged') {
          accepted++;
          heads[branch] = commit;
        } else {
          refused++;
          if (refused < 3) console.error(JSON.stringify(said).slice(0, 500));
        }
      }
    }),
  );
  return { accepted, refused, seconds: (performance.now() - start) / 1000, latencies, heads };
}

async function healthz(pool: Pool): Promise<{ perSecond: number }> {
  let done = 0;
  const end = performance.now() + HEALTH_SECONDS * 1000;
  await Promise.all(
    Array.from({ length: Number(count) }, async () => {
      while (performance.now() < end) {
        const { body } = await pool.request({ method: 'GET', path: '/healthz' });
        await body.dump();
        done++;
      }
    }),
  );
  return { perSecond: done / HEALTH_SECONDS };
}

const pool = new Pool(url, { connections: Number(count), pipelining: 1 });
let clients: Client[] = [];
for await (const phase of createInterface({ input: process.stdin })) {
  if (phase === 'prepare') {
    clients = await prepare();
    console.log(JSON.stringify({ clients: clients.length }));
  } else if (phase === 'healthz') console.log(JSON.stringify(await healthz(pool)));
  else if (phase === 'push') console.log(JSON.stringify(await pushAll(pool, clients)));
}
await pool.close();

/**
 * A process that commits rows, for tests that watch: `row-writer.ts STORE COMMITS A_SECOND
 * BRANCH...`. Each commit adds one row to `rows` of the next branch. Says `{"written":n}`
 * when it is done; `A_SECOND` 0 is as fast as it goes. Branches begin at a commit of the first one.
 */
import { randomBytes } from 'node:crypto';
import { createRowWriter } from '../../src/live/writer.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';

const [path, count, perSecond, ...branches] = process.argv.slice(2);
const store = await openSqliteStore(path, { now: Date.now });
const writer = createRowWriter(store, {
  now: Date.now,
  randomId: () => randomBytes(8).toString('hex'),
});
const author = { name: 'Writer', email: 'writer@example.org' };
const commitRow = (branch: string, id: number) =>
  writer.write({
    branch,
    tables: [
      {
        table: 'rows',
        key: ['id'],
        writes: [{ op: 'upsert', cells: { id: String(id), at: String(Date.now()) } }],
      },
    ],
    message: `row ${id}`,
    author,
  });

// A branch has to be there before rows are written to it; the first one may be unborn.
const [first, ...others] = branches;
if ((await store.getRef(`refs/heads/${first}`)) === undefined) await commitRow(first, -1);
const start = (await store.getRef(`refs/heads/${first}`)) ?? null;
for (const branch of others) {
  const name = `refs/heads/${branch}`;
  if ((await store.getRef(name)) !== undefined) continue;
  const log = { actor: author.name, time: Date.now(), message: 'branch' };
  await store.transact({ refs: [{ name, old: null, new: start }], log });
}
const begin = performance.now();
const pace = Number(perSecond);
for (let i = 0; i < Number(count); i++) {
  if (pace > 0) {
    const wait = begin + (i * 1000) / pace - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  }
  await commitRow(branches[i % branches.length], i);
}
await writer.close();
await store.close();
console.log(JSON.stringify({ written: Number(count) }));

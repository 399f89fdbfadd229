/**
 * A process that commits to a store until it is killed, for tests of durability. Prints a
 * line with the number of each commit after it is done.
 *
 *   node test/support/store-worker.ts PATH
 */
import { hashOf } from '../../src/hash.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { chunkOf, editBytes, leafBytes } from './store-chunks.ts';

const REF = 'refs/heads/main';

const [path] = process.argv.slice(2);
const store = await openSqliteStore(path, { now: () => Date.now() });
let leaf = chunkOf(leafBytes(1));
await store.putMany([leaf]);
for (let i = 0; ; i++) {
  leaf = chunkOf(editBytes(leaf.bytes, i), leaf);
  const extra = Array.from({ length: i % 5 }, (_, j) => chunkOf(leafBytes(5 * i + j)));
  await store.putMany(extra);
  const commit = Buffer.from([leaf, ...extra].map(({ hash }) => hash).join('\n'));
  const old = (await store.getRef(REF)) ?? null;
  await store.transact(
    {
      refs: [{ name: REF, old, new: hashOf(commit) }],
      state: [{ key: 'count', value: Buffer.from(`${i}`) }],
      log: { actor: 'worker', time: Date.now(), message: `${i}` },
    },
    [leaf, chunkOf(commit)],
  );
  process.stdout.write(`${i}\n`);
}

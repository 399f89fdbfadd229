/**
 * A process that receives transfers into a store until it is killed, for tests of durability.
 * Prints a line with the number of each transfer after it is complete.
 *
 *   node test/support/transfer-worker.ts PATH
 */
import { hashOf } from '../../src/hash.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { chunkOf, editBytes, leafBytes } from './store-chunks.ts';

const REF = 'refs/heads/main';

const [path] = process.argv.slice(2);
const store = await openSqliteStore(path, { now: () => Date.now() });
for (let i = 0; ; i++) {
  const leaves = Array.from({ length: 3 }, (_, j) => chunkOf(leafBytes(3 * i + j, 3000)));
  const edits = leaves.map((leaf) => chunkOf(editBytes(leaf.bytes, i), leaf));
  const root = Buffer.from([...leaves, ...edits].map(({ hash }) => hash).join('\n'));
  await store.putReceived(`transfer ${i}`, [chunkOf(root)]);
  await store.putReceived(`transfer ${i}`, leaves);
  await store.putReceived(`transfer ${i}`, edits);
  const old = (await store.getRef(REF)) ?? null;
  await store.transact({
    refs: [{ name: REF, old, new: hashOf(root) }],
    log: { actor: 'worker', time: Date.now(), message: `${i}` },
    completes: [`transfer ${i}`],
  });
  process.stdout.write(`${i}\n`);
}

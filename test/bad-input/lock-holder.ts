/**
 * A process that holds the write lock of a repository as a command of dv does: says `held`
 * on standard output, and lets go when its standard input ends.
 *
 *   node test/bad-input/lock-holder.ts STORE OWNER
 */
import { readSync, writeSync } from 'node:fs';
import { openSqliteFile } from '../../src/store/sqlite-file.ts';

const [path, owner] = process.argv.slice(2);
const file = await openSqliteFile(path, {
  owner: `${process.pid} ${owner}`,
  isAlive: () => true,
  now: Date.now,
  lockTimeoutMs: 5000,
});
await file.write('stored', () => {
  writeSync(1, 'held\n');
  readSync(0, Buffer.alloc(1));
});
await file.close();

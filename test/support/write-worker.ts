/**
 * A process to be killed: takes the records of a stream into a table, and rows of its own into
 * another, as fast as it can, and says what was answered. `node write-worker.ts STORE NAME`
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { DvError } from '../../src/errors.ts';
import { createRowWriter } from '../../src/live/writer.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';

const [, , path, name] = process.argv;
const store = await openSqliteStore(path, { now: Date.now, owner: `${process.pid} ${name}` });
const writer = createRowWriter(store, {
  now: Date.now,
  randomId: () => randomBytes(8).toString('hex'),
});
const base = { branch: 'main', message: 'row', author: { name, email: '' } };
const say = (...words: string[]): void => {
  writeSync(1, `${words.join(' ')}\n`);
};

/** Rows of this process alone, several requests at a time. */
async function writeRows(lane: number): Promise<never> {
  for (let i = 0; ; i++) {
    const id = `${name}-${lane}-${i}`;
    const writes = [{ op: 'upsert', cells: { id } } as const];
    const { commit } = await writer.write({
      ...base,
      tables: [{ table: 'rows', key: ['id'], writes }],
    });
    say('row', id, commit);
  }
}

/** The stream 0, 1, 2 ...: whoever has the right offset takes the next three records. */
async function ingest(): Promise<never> {
  for (;;) {
    const expect = await writer.readOffsets('main', 'stream');
    const from = Number(expect?.p ?? 0);
    const writes = [0, 1, 2].map(
      (i) => ({ op: 'upsert', cells: { record: `${from + i}` } }) as const,
    );
    const source = { name: 'stream', offsets: { p: `${from + 3}` }, expect };
    try {
      await writer.write({ ...base, tables: [{ table: 'stream', key: [], writes }], source });
      say('taken', `${from + 3}`);
    } catch (error) {
      if (!(error instanceof DvError) || error.code !== 'offsets-moved') throw error;
    }
  }
}

say('ready');
await Promise.all([writeRows(0), writeRows(1), writeRows(2), ingest()]);

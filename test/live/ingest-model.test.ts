/**
 * Streams into a real store, against the obvious model: a map of rows. Whatever the batches,
 * the crashes and the other ingesters, the branch ends with the rows of the stream, once.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DvError } from '../../src/errors.ts';
import type { RowWriter, WriteRequest } from '../../src/live/contract.ts';
import type { CollectorOptions } from '../../src/live/ingest/collector.ts';
import { Delivery } from '../../src/live/ingest/delivery.ts';
import { badRecord, type IngestProgress, ingest } from '../../src/live/ingest/ingest.ts';
import { JsonCollector } from '../../src/live/ingest/json-collector.ts';
import { LineBlocks } from '../../src/live/ingest/line-blocks.ts';
import type { DeadLetter, DeadLetters, RecordSource } from '../../src/live/ingest/record.ts';
import { createRowWriter } from '../../src/live/writer.ts';
import { readCommit, readTable } from '../../src/model/object-reader.ts';
import { getRootEntry } from '../../src/model/root.ts';
import { diffTables } from '../../src/model/table-diff.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

const NAME = 'lines';

/** Lines that can be read again from any offset. */
function linesSource(text: string, chunk: number): RecordSource {
  return {
    name: NAME,
    place: 'the lines',
    partitionName: () => '',
    async *read(offsets) {
      const start = Number(offsets?.at ?? 0);
      const blocks = new LineBlocks({ quotes: false, maxRecord: 1 << 20 }, 0, start, 1);
      const bytes = Buffer.from(text);
      for (let at = start; at < bytes.length; at += chunk) {
        const block = blocks.push(bytes.subarray(at, at + chunk));
        if (block !== undefined) yield block;
      }
    },
    offsetsAt: ({ behind }) => ({ at: String(behind[0] ?? 0) }),
    positionsOf: ({ at }) => [Number(at)],
    close: async () => undefined,
  };
}

class Letters implements DeadLetters {
  readonly letters: DeadLetter[] = [];
  put(letter: DeadLetter): void {
    this.letters.push(letter);
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

interface Run {
  readonly text: string;
  readonly maxRows?: number;
  readonly chunk?: number;
  readonly dead?: DeadLetters;
  readonly drift?: 'widen' | 'refuse';
  readonly collector?: Partial<CollectorOptions>;
}

function run(writer: RowWriter, options: Run): Promise<IngestProgress> {
  const { text, maxRows = 3, chunk = 16, dead, drift = 'widen' } = options;
  const source = linesSource(text, chunk);
  const given = {
    maxBytes: 1 << 20,
    key: ['id'],
    deletes: { field: 'op', values: new Set(['d']) },
    rawJson: new Set<string>(),
    ...options.collector,
  };
  const signal = new AbortController().signal;
  const delivery = new Delivery(writer, source, dead, {
    ...{ table: 't', branch: 'main', drift, key: ['id'], types: {}, signal, retryFor: 20_000 },
    author: { name: 'A', email: 'a@example.org' },
    message: (rows) => `${rows} rows`,
    now: Date.now,
    badRecord: (log, row, flaw) =>
      badRecord(source, log.partitions[row], log.positions[row], log.lines[row], flaw),
  });
  return ingest(
    {
      ...{ source, delivery, dead, signal, sequence: undefined, now: Date.now },
      collectors: [new JsonCollector(given), new JsonCollector(given)],
      report: () => undefined,
    },
    { maxRows, maxBytes: 1 << 20, every: 10_000 },
  );
}

function scene() {
  const store = createMemoryStore();
  const newWriter = () =>
    createRowWriter(store, { now: Date.now, randomId: () => '0123456789abcdef' });
  return { store, nodes: new NodeStore(store), newWriter };
}

async function rowsOf({
  store,
  nodes,
}: ReturnType<typeof scene>): Promise<Record<string, unknown>> {
  const head = await store.getRef('refs/heads/main');
  if (head === undefined) return {};
  const { root } = await readCommit(store, head);
  const entry = await getRootEntry(nodes, root, 't');
  if (entry?.kind !== 'table') return {};
  await readTable(store, entry.table);
  const diff = await diffTables(nodes, 't', undefined, entry.table);
  const rows: Record<string, unknown> = {};
  const names = diff.to?.columns.map(({ name }) => name) ?? [];
  for await (const batch of diff.changes()) {
    for (const { to } of batch) {
      const row = Object.fromEntries(names.map((name, i) => [name, to?.[i] ?? null]));
      rows[String(row.id)] = row.n ?? null;
    }
  }
  return rows;
}

const records = fc.array(
  fc.record({ id: fc.integer({ min: 0, max: 12 }), n: fc.nat(99), gone: fc.boolean() }),
  { minLength: 1, maxLength: 40 },
);

function streamOf(list: readonly { id: number; n: number; gone: boolean }[]) {
  const lines = list.map(({ id, n, gone }) =>
    gone ? `{"op":"d","id":${id},"n":null}` : `{"op":"u","id":${id},"n":${n}}`,
  );
  const model: Record<string, unknown> = {};
  for (const { id, n, gone } of list) {
    if (gone) delete model[id];
    else model[id] = String(n);
  }
  return { text: `${lines.join('\n')}\n`, model };
}

describe('a stream into commits', () => {
  it('ends with the rows of the stream, whatever the batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 200 }),
        async (list, maxRows, chunk) => {
          const at = scene();
          const { text, model } = streamOf(list);
          const { rows } = await run(at.newWriter(), { text, maxRows, chunk });
          expect(rows).toBe(list.length);
          expect(await rowsOf(at)).toEqual(model);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is in once, when writes fail, answers are lost and another ingester reads along', async () => {
    const faults = fc.array(fc.constantFrom('none', 'before', 'after', 'crash'), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(records, faults, fc.boolean(), async (list, faultsOf, twice) => {
        const plan = [...faultsOf];
        const at = scene();
        const { text, model } = streamOf(list);
        let commits = 0;
        const faulty = (): RowWriter => {
          const writer = at.newWriter();
          return {
            readOffsets: (branch, source) => writer.readOffsets(branch, source),
            close: () => writer.close(),
            async write(request: WriteRequest) {
              const fault = plan.shift() ?? 'none';
              if (fault === 'before') throw new DvError('connection-lost', 'cut before');
              const result = await writer.write(request);
              commits += 1;
              if (fault === 'after') throw new DvError('connection-lost', 'cut after');
              if (fault === 'crash') throw new Error('killed');
              return result;
            },
          };
        };
        const untilDone = async () => {
          for (let i = 0; i < 20; i++) {
            try {
              return await run(faulty(), { text });
            } catch (error) {
              if ((error as Error).message !== 'killed') throw error;
            }
          }
          throw new Error('never done');
        };
        await Promise.all(twice ? [untilDone(), untilDone()] : [untilDone()]);
        expect(await rowsOf(at)).toEqual(model);
        // Each batch was committed by one of them: no batch is in twice.
        const rows = await countWritten(at);
        expect(rows).toBe(list.length);
        expect(commits).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  it('finds the rows that the table refuses, wherever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), async (good) => {
        const at = scene();
        const first = '{"id":1000,"n":1}\n';
        await run(at.newWriter(), { text: first });
        const lines = good.map((isGood, i) => `{"id":${i},"n":${isGood ? i : '"x"'}}\n`);
        const dead = new Letters();
        const text = first + lines.join('');
        await run(at.newWriter(), { text, dead, drift: 'refuse', maxRows: 7 });
        const bad = good.flatMap((isGood, i) => (isGood ? [] : [i]));
        expect(dead.letters.map(({ record }) => Buffer.from(record ?? []).toString())).toEqual(
          bad.map((i) => lines[i].trimEnd()),
        );
        expect(dead.letters.every(({ code }) => code === 'type-mismatch')).toBe(true);
        const expected = good.flatMap((isGood, i) => (isGood ? [[String(i), String(i)]] : []));
        expect(await rowsOf(at)).toEqual({ ...Object.fromEntries(expected), 1000: '1' });
      }),
      { numRuns: 40 },
    );
  });

  it('stops at the first bad record with everything in front of it in', async () => {
    const at = scene();
    const text = '{"id":1,"n":1}\n{"id":2,"n":2}\n{"id":3\n{"id":4,"n":4}\n';
    await expect(run(at.newWriter(), { text })).rejects.toMatchObject({
      code: 'bad-json',
      data: { line: 3, position: 30 },
    });
    expect(await rowsOf(at)).toEqual({ 1: '1', 2: '2' });
  });

  it('refuses to go on when the branch was taken back', async () => {
    const at = scene();
    const text = Array.from({ length: 9 }, (_, i) => `{"id":${i},"n":1}\n`).join('');
    const writer = at.newWriter();
    let writes = 0;
    const resetting: RowWriter = {
      readOffsets: (branch, source) => writer.readOffsets(branch, source),
      close: () => writer.close(),
      async write(request) {
        writes += 1;
        if (writes === 3) {
          const head = await at.store.getRef('refs/heads/main');
          const [parent] = (await readCommit(at.store, head as never)).parents;
          const log = { actor: 'x', time: 0, message: 'reset' };
          await at.store.transact({
            refs: [{ name: 'refs/heads/main', old: head ?? null, new: parent, log }],
          });
        }
        return writer.write(request);
      },
    };
    await expect(run(resetting, { text })).rejects.toMatchObject({ code: 'offsets-moved' });
  });
});

/** Rows that commits say they took, from their messages: every batch is one commit. */
async function countWritten({ store }: ReturnType<typeof scene>): Promise<number> {
  let rows = 0;
  for (let hash = await store.getRef('refs/heads/main'); hash !== undefined; ) {
    const commit = await readCommit(store, hash);
    rows += Number.parseInt(commit.message, 10);
    hash = commit.parents[0];
  }
  return rows;
}

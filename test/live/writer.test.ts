/** The row writer against a plain map, alone and with others writing to the same branch. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type {
  RowWrite,
  RowWriter,
  TableWrites,
  WriteRequest,
  WriteResult,
} from '../../src/live/contract.ts';
import { createRowWriter } from '../../src/live/writer.ts';
import { compareClocks } from '../../src/model/clock.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import type { Store } from '../../src/store/contract.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Cell } from '../../src/tuple/schema.ts';
import { storeTable } from '../support/stored-tables.ts';
import { lineOf, rowsAt } from '../support/written-rows.ts';

const AUTHOR = { name: 'Ada', email: 'ada@example.org' };
let clock = 1_700_000_000_000;
const newWriter = (store: Store): RowWriter =>
  createRowWriter(store, { now: () => (clock += 1), randomId: () => '0123456789abcdef' });

const request = (
  tables: readonly TableWrites[],
  more: Partial<WriteRequest> = {},
): WriteRequest => ({
  branch: 'main',
  tables,
  message: 'write',
  author: AUTHOR,
  drift: 'widen',
  ...more,
});
const upsert = (cells: Record<string, Cell>): RowWrite => ({ op: 'upsert', cells });
const COLUMNS = ['id', 'a', 'b', 'c'];

type Model = Map<string, Record<string, Cell>>;

/** The obvious reading of a write; false: a patch of a row that is not there. */
function applyToModel(model: Model, { op, cells }: RowWrite): boolean {
  const id = cells.id as string;
  const whole = (own: Record<string, Cell>) =>
    Object.fromEntries(COLUMNS.map((name) => [name, own[name] ?? null]));
  if (op === 'delete') model.delete(id);
  else if (op === 'upsert') model.set(id, whole(cells));
  else {
    const there = model.get(id);
    if (there === undefined) return false;
    model.set(id, whole({ ...there, ...cells }));
  }
  return true;
}

const cell = fc.option(fc.oneof(fc.nat(99).map(String), fc.constantFrom('', 'é', '1.5')));
const aWrite: fc.Arbitrary<RowWrite> = fc
  .record({
    op: fc.constantFrom('upsert', 'upsert', 'patch', 'delete'),
    id: fc.nat(40).map(String),
    cells: fc.dictionary(fc.constantFrom('a', 'b', 'c'), cell, { noNullPrototype: true }),
  })
  .map(({ op, id, cells }) => ({ op, cells: { id, ...cells } }) as RowWrite);
const someWrites = fc.array(aWrite, { minLength: 1, maxLength: 12 });
const FIRST: TableWrites = {
  table: 't',
  key: ['id'],
  types: { id: 'integer', a: 'text', b: 'text', c: 'text' },
  writes: [upsert({ id: '1000', a: '', b: null, c: null })],
};

it('every commit of any interleaving holds what a map holds after the same writes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(2), someWrites), { minLength: 1, maxLength: 20 }),
      async (script) => {
        const store = createMemoryStore();
        const writers = [newWriter(store), newWriter(store), newWriter(store)];
        await writers[0].write(request([FIRST], { message: 'first' }));
        const written: PromiseSettledResult<WriteResult>[] = [];
        for (let from = 0; from < script.length; from += 5) {
          const wave = script.slice(from, from + 5).map(([who, writes], i) => {
            return writers[who].write(
              request([{ table: 't', writes }], { message: String(from + i) }),
            );
          });
          written.push(...(await Promise.allSettled(wave)));
        }
        const model: Model = new Map([['1000', { id: '1000', a: '', b: null, c: null }]]);
        const line = await lineOf(store, 'main');
        const told = new Set<string>();
        for (const { hash, commit } of line.slice(1)) {
          const i = Number(commit.message);
          for (const write of script[i][1]) expect(applyToModel(model, write)).toBe(true);
          const there = await rowsAt(store, hash, 't');
          const rows = [...model.values()].sort((a, b) => Number(a.id) - Number(b.id));
          expect(there?.rows).toEqual(rows);
          expect(written[i]).toMatchObject({ status: 'fulfilled', value: { commit: hash } });
          told.add(hash);
        }
        for (const [i, outcome] of written.entries()) {
          if (outcome.status === 'rejected') {
            expect(outcome.reason).toMatchObject({ code: 'unknown-row' });
            expect(script[i][1].some(({ op }) => op === 'patch')).toBe(true);
          } else if (outcome.value.changed) expect(told).toContain(outcome.value.commit);
        }
        const last = line.at(-1);
        const whole = last && (await rowsAt(store, last.hash, 't'));
        if (whole === undefined) throw new Error('no table');
        const { schema } = whole;
        const rows = whole.rows.map((row) => schema.columns.map(({ name }) => row[name]));
        expect(await storeTable(new NodeStore(createMemoryStore()), { schema, rows })).toBe(
          whole.hash,
        );
        const log = (await store.readLog('refs/heads/main', 1000)).reverse();
        expect(log.map((entry) => entry.new)).toEqual(line.map(({ hash }) => hash));
        for (let i = 1; i < line.length; i++) {
          const [a, b] = [line[i - 1].commit.clock, line[i].commit.clock];
          expect(compareClocks(a, b)).toBeLessThan(0);
        }
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

it('counts what changed, and makes no commit of nothing', async () => {
  const store = createMemoryStore();
  const writer = newWriter(store);
  const rows = ['1', '2', '3'].map((id) => upsert({ id, a: 'x' }));
  const first = await writer.write(request([{ table: 't', key: ['id'], writes: rows }]));
  expect(first.tables).toEqual([{ table: 't', added: 3, removed: 0, modified: 0 }]);
  const again = await writer.write(request([{ table: 't', writes: rows }]));
  expect(again).toMatchObject({ commit: first.commit, changed: false, tables: [] });
  const mixed: RowWrite[] = [
    upsert({ id: '1', a: 'y' }),
    upsert({ id: '4', a: 'x' }),
    { op: 'delete', cells: { id: '2' } },
    { op: 'delete', cells: { id: '9' } },
    { op: 'delete', cells: { id: 'no number' } },
  ];
  const second = await writer.write(request([{ table: 't', writes: mixed }]));
  expect(second.tables).toEqual([{ table: 't', added: 1, removed: 1, modified: 1 }]);
  expect(second.cursor).toBe('0123456789abcdef.2');
  const undone = await writer.write(
    request([{ table: 't', writes: [upsert({ id: '7' }), { op: 'delete', cells: { id: '7' } }] }]),
  );
  expect(undone).toMatchObject({ commit: second.commit, changed: false });
});

it('a table without a key takes rows in, equal ones too', async () => {
  const store = createMemoryStore();
  const writer = newWriter(store);
  const writes = [upsert({ a: '1' }), upsert({ a: '1' })];
  const made = await writer.write(request([{ table: 't', key: [], writes }]));
  await writer.write(request([{ table: 't', writes: [upsert({ a: '1' }), upsert({ a: '2' })] }]));
  expect(made.tables[0].added).toBe(2);
  const head = (await store.getRef('refs/heads/main'))!;
  expect((await rowsAt(store, head, 't'))?.rows).toEqual([
    { a: '1' },
    { a: '1' },
    { a: '1' },
    { a: '2' },
  ]);
  const deleting = request([{ table: 't', writes: [{ op: 'delete', cells: { a: '1' } }] }]);
  await expect(writer.write(deleting)).rejects.toMatchObject({ code: 'bad-option' });
});

it('drift: widens types and adds columns, or says row, column and value', async () => {
  const store = createMemoryStore();
  const writer = newWriter(store);
  await writer.write(request([{ table: 't', key: ['id'], writes: [upsert({ id: '1', n: '5' })] }]));
  const float = { table: 't', writes: [upsert({ id: '2', n: '6' }), upsert({ id: '3', n: 'x' })] };
  await expect(writer.write(request([float], { drift: 'refuse' }))).rejects.toMatchObject({
    code: 'type-mismatch',
    data: { table: 't', row: 2, column: 'n', value: 'x' },
  });
  const column = { table: 't', writes: [upsert({ id: '2', more: 'm' })] };
  await expect(writer.write(request([column], { drift: 'refuse' }))).rejects.toMatchObject({
    code: 'unknown-column',
    data: { table: 't', row: 1, column: 'more' },
  });
  await writer.write(request([float, column]));
  const key = { table: 't', writes: [upsert({ id: 'abc' })] };
  const { commit } = await writer.write(request([key]));
  const there = await rowsAt(store, commit, 't');
  expect(there?.schema.columns).toEqual([
    { name: 'id', type: 'text' },
    { name: 'n', type: 'text' },
    { name: 'more', type: 'text' },
  ]);
  expect(there?.rows.map(({ id, n, more }) => [id, n, more])).toEqual([
    ['1', '5', null],
    ['2', null, 'm'],
    ['3', 'x', null],
    ['abc', null, null],
  ]);
});

it('refuses rows that cannot be, and a refusal hurts nobody beside it', async () => {
  const store = createMemoryStore();
  const writer = newWriter(store);
  await writer.write(request([FIRST]));
  const bad: [string, RowWrite | TableWrites][] = [
    ['null-key', upsert({ a: '1' })],
    ['null-key', { op: 'delete', cells: { a: '1' } }],
    ['unknown-row', { op: 'patch', cells: { id: '77', a: '1' } }],
    ['invalid-utf8', upsert({ id: '5', a: '\ud800' })],
    ['key-too-long', { table: 'long', key: ['k'], writes: [upsert({ k: 'x'.repeat(9000) })] }],
    ['unknown-table', { table: 'none', writes: [{ op: 'patch', cells: { id: '1' } }] }],
    ['bad-name', { table: '../x', writes: [upsert({ id: '1' })] }],
    ['name-collision', { table: 'T', writes: [upsert({ id: '1' })] }],
    ['unknown-column', { table: 'u', key: ['x'], writes: [upsert({ id: '1' })] }],
  ];
  const results = await Promise.allSettled([
    writer.write(request([{ table: 't', writes: [upsert({ id: '1', a: 'before' })] }])),
    ...bad.map(([, write]) =>
      writer.write(request(['writes' in write ? write : { table: 't', writes: [write] }])),
    ),
    writer.write(request([{ table: 't', writes: [upsert({ id: '2', a: 'behind' })] }])),
    writer.write(request([{ table: 't', writes: [upsert({ id: '3' })] }], { branch: 'other' })),
  ]);
  const codes = results.map((r) => (r.status === 'rejected' ? r.reason.code : 'done'));
  expect(codes).toEqual(['done', ...bad.map(([code]) => code), 'done', 'unknown-ref']);
  expect(await lineOf(store, 'main')).toHaveLength(3);
});

it('members of Object.prototype are columns like any other', async () => {
  const store = createMemoryStore();
  const writer = newWriter(store);
  const cells = JSON.parse('{"id": "1", "constructor": "c", "__proto__": "p"}');
  await writer.write(request([{ table: 't', key: ['id'], writes: [upsert(cells)] }]));
  const { commit } = await writer.write(request([{ table: 't', writes: [upsert({ id: '2' })] }]));
  const rows = (await rowsAt(store, commit, 't'))?.rows.map((row) => Object.entries(row));
  expect(rows).toEqual([
    [
      ['id', '1'],
      ['constructor', 'c'],
      ['__proto__', 'p'],
    ],
    [
      ['id', '2'],
      ['constructor', null],
      ['__proto__', null],
    ],
  ]);
});

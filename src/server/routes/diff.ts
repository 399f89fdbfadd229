/**
 * `GET R/diff?from=REV&to=REV`: what differs between two revisions, as NDJSON that comes as it
 * is found. One line for each table, `{"table","from","to","schema"}` with both schemas (null:
 * no such table there), then one for each of its rows, `{"change","from","to"}`, in key order;
 * at the end `{"end":true,...}`: without it the answer was cut. Rows are lists of exact cells in
 * the order of their side's schema, or, with `form=objects`, objects with values by type.
 */
import { DvError } from '../../errors.ts';
import type { Hash } from '../../hash.ts';
import type { RowChange, TableDiff } from '../../model/change.ts';
import { readCommit } from '../../model/object-reader.ts';
import { diffRoots, type RootEntry } from '../../model/root.ts';
import { diffTables } from '../../model/table-diff.ts';
import { EMPTY_TREE } from '../../prolly/node-writer.ts';
import { rowToJson } from '../../tuple/json-value.ts';
import type { Cell, Row, Schema } from '../../tuple/schema.ts';
import type { OpenApiOperation, RegisterRoutes, Served } from '../contract.ts';
import { Query } from '../query.ts';
import { commitAt, stateOf } from '../revision-query.ts';
import { cellsToJson } from '../row-page.ts';
import { describeSchema, guardedCondition } from '../served-table.ts';
import { queryOf } from './openapi.ts';
import { tellState } from './rows.ts';

const PARAMETERS = [
  'from',
  'to',
  'table',
  'where',
  'columns',
  'limit',
  'form',
  'min-seq',
  'consistent',
];

export const register: RegisterRoutes = (app, context) => {
  app.get('/v1/repos/:repo/diff', { config: { openapi: DIFF } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const query = new Query(request, PARAMETERS);
    const state = await stateOf(served, query, context, query.text('to') ?? 'HEAD');
    const from = await fromOf(served, query.text('from'));
    await tellState(reply, served, state);
    const wanted: DiffWanted = {
      tables: query.list('table'),
      where: query.text('where'),
      columns: query.list('columns')?.flatMap((list) => list.split(',')),
      limit: query.count('limit', 1e9) ?? Number.POSITIVE_INFINITY,
      form: query.choice('form', ['objects', 'cells']) ?? 'cells',
    };
    const lines = diffLines(served, from, state, wanted);
    await context.stream(reply, 'application/x-ndjson', lines);
    return reply;
  });
};

interface Side {
  readonly commit: Hash | null;
  readonly root: Hash;
}

/** `from` is a must; `none` stands for nothing at all. @throws DvError `bad-request` */
async function fromOf(served: Served, revision: string | undefined): Promise<Side> {
  if (revision === undefined) {
    throw new DvError('bad-request', "the parameter 'from' is missing", {
      hint: 'a revision, or `none` for everything',
    });
  }
  if (revision === 'none') return { commit: null, root: EMPTY_TREE };
  const commit = await commitAt(served, revision);
  return { commit, root: (await readCommit(served.repository.store, commit)).root };
}

interface DiffWanted {
  readonly tables: readonly string[] | undefined;
  readonly where: string | undefined;
  /** Only rows in which one of these differs. */
  readonly columns: readonly string[] | undefined;
  readonly limit: number;
  readonly form: 'objects' | 'cells';
}

async function* diffLines(
  served: Served,
  from: Side,
  to: Side,
  wanted: DiffWanted,
): AsyncGenerator<Uint8Array> {
  const { nodes } = served.repository;
  let left = wanted.limit;
  let complete = true;
  for (const { name, from: before, to: after } of await diffRoots(nodes, from.root, to.root)) {
    if (wanted.tables !== undefined && !wanted.tables.includes(name)) continue;
    const [a, b] = [tableOf(before), tableOf(after)];
    if (a === undefined && b === undefined) continue;
    const diff = await diffTables(nodes, name, a, b, { complete: true });
    yield line(headOf(diff));
    const picked = pick(diff, wanted);
    if (picked === undefined) continue;
    try {
      for await (const batch of diff.changes()) {
        const lines = batch.filter(picked.test).slice(0, left + 1);
        if (lines.length > left) complete = false;
        left -= Math.min(left, lines.length);
        const kept = complete ? lines : lines.slice(0, -1);
        if (kept.length > 0)
          yield Buffer.from(kept.map((c) => changeLine(diff, c, wanted.form)).join(''));
        if (!complete) break;
      }
    } finally {
      picked.close();
    }
    if (!complete) break;
  }
  yield line({ end: true, from: from.commit, to: to.commit, complete });
}

const line = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
const tableOf = (entry: RootEntry | undefined) =>
  entry?.kind === 'table' ? entry.table : undefined;

function headOf({ table, from, to, schema }: TableDiff): unknown {
  return {
    table,
    from: from === null ? null : describeSchema(from),
    to: to === null ? null : describeSchema(to),
    schema,
  };
}

function changeLine(
  diff: TableDiff,
  { change, from, to }: RowChange,
  form: DiffWanted['form'],
): string {
  const show = (schema: Schema | null, row: Row | null): string => {
    if (row === null || schema === null) return 'null';
    return form === 'objects' ? rowToJson(schema, row) : cellsToJson(row);
  };
  return `{"change":"${change}","from":${show(diff.from, from)},"to":${show(diff.to, to)}}\n`;
}

interface Picker {
  readonly test: (change: RowChange) => boolean;
  close(): void;
}

/** undefined: no row of this table can be wanted, as it has none of the columns. */
function pick(diff: TableDiff, { where, columns }: DiffWanted): Picker | undefined {
  const places = columns?.map((name) => placesIn(diff, name)).filter(([a, b]) => a >= 0 || b >= 0);
  if (places?.length === 0) return undefined;
  const differs = ({ from, to }: RowChange) =>
    places === undefined ||
    from === null ||
    to === null ||
    places.some(([a, b]) => cellAt(from, a) !== cellAt(to, b));
  if (where === undefined) return { test: differs, close() {} };
  const { names, cells } = conditionRow(diff);
  const condition = guardedCondition(where, names);
  return {
    test: (change) => differs(change) && condition.test(cells(change)),
    close: () => condition.close(),
  };
}

const placesIn = ({ from, to }: TableDiff, name: string): readonly [number, number] => [
  from?.columns.findIndex((column) => column.name === name) ?? -1,
  to?.columns.findIndex((column) => column.name === name) ?? -1,
];

const cellAt = (row: Row | null, place: number): Cell =>
  place < 0 ? null : (row?.[place] ?? null);

/** `x` is the cell of to, else of from; `from_x` and `to_x` are the two sides. */
function conditionRow(diff: TableDiff) {
  const all = [...(diff.to?.columns ?? []), ...(diff.from?.columns ?? [])];
  const own = all.filter(({ name }, i) => all.findIndex((column) => column.name === name) === i);
  const places = own.map(({ name }) => placesIn(diff, name));
  const taken = new Set(own.map(({ name }) => name));
  const sided = (['from', 'to'] as const).flatMap((side) =>
    own.flatMap(({ name, type }, i) =>
      taken.has(`${side}_${name}`) ? [] : [{ name: `${side}_${name}`, type, side, i }],
    ),
  );
  return {
    names: [...own, ...sided.map(({ name, type }) => ({ name, type }))],
    cells: ({ from, to }: RowChange): Cell[] => [
      ...places.map(([a, b]) => (to === null ? cellAt(from, a) : cellAt(to, b))),
      ...sided.map(({ side, i }) =>
        side === 'from' ? cellAt(from, places[i][0]) : cellAt(to, places[i][1]),
      ),
    ],
  };
}

const DIFF: OpenApiOperation = {
  operationId: 'diffRevisions',
  summary: 'Tables and rows that differ between two revisions, as NDJSON',
  parameters: [
    queryOf('from', 'A revision; `none`: nothing'),
    queryOf('to', 'A revision; default HEAD'),
    queryOf('table', 'Only this table; may be given several times'),
    queryOf('where', 'An SQL condition over a row: x, from_x, to_x'),
    queryOf('columns', 'Only rows in which one of these columns differs; joined by commas'),
    queryOf('limit', 'At most so many rows; `complete` at the end says whether that was all'),
    queryOf('form', 'cells (default): lists of exact texts; objects: values by type'),
    queryOf('min-seq', 'A feed cursor: the answer is no older'),
  ],
  responses: { 200: { description: 'Lines', content: { 'application/x-ndjson': {} } } },
};

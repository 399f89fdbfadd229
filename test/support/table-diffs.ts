/**
 * Table diffs for tests: from a plain description, and from two whole tables by the slow,
 * obvious comparison that the real one must equal.
 */
import type { RowChange, TableDiff } from '../../src/model/change.ts';
import { diffSchemas } from '../../src/model/table-diff.ts';
import type { Cell, ColumnType, Row, Schema } from '../../src/tuple/schema.ts';

export interface WholeTable {
  readonly schema: Schema;
  readonly rows: readonly Row[];
}

/** `schema('id:integer name', 'id')`; a column without a type is text. */
export function schema(columns: string, key = ''): Schema {
  const list = columns.split(' ').map((column) => {
    const [name, type = 'text'] = column.split(':');
    return { name, type: type as ColumnType };
  });
  const names = key === '' ? [] : key.split(' ');
  return { columns: list, key: names.map((name) => list.findIndex((c) => c.name === name)) };
}

export function tableDiff(
  table: string,
  from: Schema | null,
  to: Schema | null,
  rows: readonly (readonly [Row | null, Row | null])[],
): TableDiff {
  const changes = rows.map(
    ([a, b]) =>
      ({
        change: a === null ? 'added' : b === null ? 'removed' : 'modified',
        from: a,
        to: b,
      }) as RowChange,
  );
  return {
    table,
    from,
    to,
    schema: from && to ? diffSchemas(from, to) : [],
    async *changes() {
      for (let at = 0; at < changes.length; at += 3) yield changes.slice(at, at + 3);
    },
  };
}

/** Rows of both tables by key (or content), every key looked up in both. */
export function slowDiff(table: string, from: WholeTable | null, to: WholeTable | null): TableDiff {
  const rows: [Row | null, Row | null][] = [];
  const rekeyed = from && to && keyNames(from) !== keyNames(to);
  if (rekeyed) {
    for (const row of from.rows) rows.push([row, null]);
    for (const row of to.rows) rows.push([null, row]);
  } else {
    const before = byKey(from);
    const after = byKey(to);
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const a = before.get(key) ?? [];
      const b = after.get(key) ?? [];
      for (let i = 0; i < Math.max(a.length, b.length); i++) {
        const [x, y] = [a[i] ?? null, b[i] ?? null];
        if (x && y && equalCells(from!, x, to!, y)) continue;
        // Without a key a row is its content: it is never modified.
        const keyless = (to ?? from)?.schema.key.length === 0;
        if (keyless && x && y) rows.push([x, null], [null, y]);
        else rows.push([x, y]);
      }
    }
  }
  return tableDiff(table, from?.schema ?? null, to?.schema ?? null, rows);
}

function keyNames({ schema: { columns, key } }: WholeTable): string {
  return JSON.stringify(key.map((index) => columns[index].name));
}

function byKey(table: WholeTable | null): Map<string, Row[]> {
  const rows = new Map<string, Row[]>();
  for (const row of table?.rows ?? []) {
    const { key } = table!.schema;
    const id = JSON.stringify(key.length > 0 ? key.map((index) => row[index]) : row);
    rows.set(id, [...(rows.get(id) ?? []), row]);
  }
  return rows;
}

/** The cells of a row that are not null, by column. */
export function cellsByName({ columns }: Schema, row: Row): Map<string, Cell> {
  const cells = columns.map(({ name }, index): [string, Cell] => [name, row[index]]);
  return new Map(cells.filter(([, cell]) => cell !== null));
}

function equalCells(from: WholeTable, a: Row, to: WholeTable, b: Row): boolean {
  const [x, y] = [cellsByName(from.schema, a), cellsByName(to.schema, b)];
  return x.size === y.size && [...x].every(([name, cell]) => y.get(name) === cell);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export async function textOf(parts: AsyncIterable<string>): Promise<string> {
  return (await collect(parts)).join('');
}

/** The text in pieces of the given sizes, over and over. */
export async function* inPieces(
  text: string,
  sizes: readonly number[],
): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length];
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/**
 * A changed schema as SQL, in two parts around the statements for the rows. Before them:
 * new columns, new types, and no key where it changes. After them: columns that go, and the
 * new key. So every row statement finds the columns of both sides.
 *
 * SQLite cannot change a column's type or a key in place, nor add or drop a column `rowid`:
 * there the table is built anew. The order of columns is left as it is: statements name them.
 */
import type { TableDiff } from '../../../model/change.ts';
import { type ColumnPair, pairColumns } from '../../../model/diff-columns.ts';
import type { ColumnType, Schema } from '../../../tuple/schema.ts';
import { type SqlDialect, sqlName, sqlType } from './sql-literals.ts';

export interface SchemaStatements {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

interface SqlColumn {
  readonly name: string;
  readonly type: ColumnType;
}

export function createTable(table: string, schema: Schema, dialect: SqlDialect): string {
  return create(table, schema.columns, keyNames(schema), dialect);
}

function create(
  table: string,
  columns: readonly SqlColumn[],
  key: readonly string[],
  dialect: SqlDialect,
): string {
  const lines = columns.map(({ name, type }) => `${sqlName(name)} ${sqlType(type, dialect)}`);
  if (key.length > 0) lines.push(`PRIMARY KEY (${key.map(sqlName).join(', ')})`);
  return `CREATE TABLE ${sqlName(table)} (\n  ${lines.join(',\n  ')}\n);`;
}

function keyNames({ columns, key }: Schema): string[] {
  return key.map((index) => columns[index].name);
}

/** What turns the columns and key of `table` from `from` into `to`. */
export function schemaStatements(
  table: string,
  diff: Pick<TableDiff, 'schema'> & { readonly from: Schema; readonly to: Schema },
  dialect: SqlDialect,
): SchemaStatements {
  if (diff.schema.length === 0) return { before: [], after: [] };
  return dialect === 'sqlite' ? forSqlite(table, diff) : forPostgres(table, diff);
}

type BothSides = Parameters<typeof schemaStatements>[1];

function forPostgres(table: string, { schema, from, to }: BothSides): SchemaStatements {
  const alter = `ALTER TABLE ${sqlName(table)}`;
  const before: string[] = [];
  const after: string[] = [];
  for (const change of schema) {
    if (change.kind === 'key-changed') {
      if (from.key.length > 0)
        before.unshift(`${alter} DROP CONSTRAINT ${sqlName(`${table}_pkey`)};`);
      if (to.key.length > 0) {
        after.push(`${alter} ADD PRIMARY KEY (${change.to.map(sqlName).join(', ')});`);
      }
    } else if (change.kind === 'column-retyped') {
      const column = sqlName(change.column);
      const type = sqlType(change.to as ColumnType, 'postgres');
      before.push(`${alter} ALTER COLUMN ${column} TYPE ${type} USING CAST(${column} AS ${type});`);
    } else if (change.kind === 'column-added') {
      before.push(addColumn(table, change.column, change.type as ColumnType, 'postgres'));
    } else if (change.kind === 'column-removed') {
      after.unshift(dropColumn(table, change.column));
    }
  }
  return { before, after };
}

/** Names of SQLite's row id, under which it adds and drops no column. */
const ROW_ID = /^(?:rowid|oid|_rowid_)$/i;

function forSqlite(table: string, { schema, from, to }: BothSides): SchemaStatements {
  const rekeyed = schema.some(({ kind }) => kind === 'key-changed');
  const retyped = schema.some(({ kind }) => kind === 'column-retyped');
  const pairs = pairColumns(from, to);
  const added = pairs.filter((pair) => pair.from < 0);
  const dropped = pairs.filter((pair) => pair.to < 0);
  const rowId = ({ name }: ColumnPair) => ROW_ID.test(name);
  const common = pairs.filter((pair) => pair.from >= 0);
  const kept = pairs.filter((pair) => pair.to >= 0);
  return {
    before:
      rekeyed || retyped || added.some(rowId)
        ? rebuild(table, pairs, rekeyed ? [] : keyNames(to), common, from)
        : added.map(({ name, type }) => addColumn(table, name, type, 'sqlite')),
    after:
      rekeyed || dropped.some(rowId)
        ? rebuild(table, to.columns, keyNames(to), kept)
        : dropped.map(({ name }) => dropColumn(table, name)),
  };
}

/** A new table under the old name, with what the old one holds in `copied`. */
function rebuild(
  table: string,
  columns: readonly SqlColumn[],
  key: readonly string[],
  copied: readonly ColumnPair[],
  from?: Schema,
): string[] {
  const fresh = `${table}_dv_new`;
  const names = copied.map(({ name }) => sqlName(name)).join(', ');
  const values = copied.map((pair) => copyOf(pair, from?.columns[pair.from].type)).join(', ');
  return [
    create(fresh, columns, key, 'sqlite'),
    `INSERT INTO ${sqlName(fresh)} (${names}) SELECT ${values} FROM ${sqlName(table)};`,
    `DROP TABLE ${sqlName(table)};`,
    `ALTER TABLE ${sqlName(fresh)} RENAME TO ${sqlName(table)};`,
  ];
}

/** SQLite stores a boolean as 1 or 0; as text it is true or false. */
function copyOf({ name, type }: ColumnPair, before: ColumnType | undefined): string {
  if (before !== 'boolean' || type === 'boolean') return sqlName(name);
  return `CASE ${sqlName(name)} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE ${sqlName(name)} END`;
}

function addColumn(table: string, name: string, type: ColumnType, dialect: SqlDialect): string {
  return `ALTER TABLE ${sqlName(table)} ADD COLUMN ${sqlName(name)} ${sqlType(type, dialect)};`;
}

function dropColumn(table: string, name: string): string {
  return `ALTER TABLE ${sqlName(table)} DROP COLUMN ${sqlName(name)};`;
}

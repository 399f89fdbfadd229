/**
 * A diff as SQL that turns the from-side into the to-side, in one transaction: for a database
 * that holds the same table. A file's table goes by its base name (`data/cities.csv` is
 * "cities"). Rows are named by their key; in a table without one, by all of their cells, one
 * row a statement.
 */
import type { RowChange } from '../../model/change.ts';
import { type ColumnPair, cellAt, pairColumns } from '../../model/diff-columns.ts';
import { type NarrowedDiff, narrowDiffs } from './diff/narrow.ts';
import type { DiffRenderOptions, TableDiffs } from './diff/options.ts';
import { type SqlDialect, sqlEquals, sqlLiteral, sqlName } from './diff/sql-literals.ts';
import { createTable, schemaStatements } from './diff/sql-schema.ts';
import { sanitize, sanitizeLine } from './sanitize.ts';

export interface DiffSqlOptions extends DiffRenderOptions {
  /** Default: sqlite. */
  readonly dialect?: SqlDialect;
  /** The name of a table in the database. */
  readonly tableName?: (table: string) => string;
}

export async function* renderDiffSql(
  diffs: TableDiffs,
  options: DiffSqlOptions = {},
): AsyncGenerator<string> {
  // Values hold no raw controls, but names may.
  const safe = options.width === undefined ? (text: string) => text : sanitize;
  let begun = false;
  for await (const diff of narrowDiffs(diffs, options)) {
    const name = (options.tableName ?? baseName)(diff.table);
    let headed = false;
    for await (const statements of tableStatements(diff, name, options.dialect ?? 'sqlite')) {
      if (statements.length === 0) continue;
      const head = `${begun ? '' : 'BEGIN;\n'}${headed ? '' : `-- ${sanitizeLine(diff.table)}\n`}`;
      yield safe(`${head}${statements.join('\n')}\n`);
      begun = true;
      headed = true;
    }
  }
  if (begun) yield 'COMMIT;\n';
}

function baseName(table: string): string {
  const file = table.slice(table.lastIndexOf('/') + 1);
  return file.replace(/(?<=.)\.\w+(?:\.(?:gz|zst))?$/, '');
}

async function* tableStatements(
  diff: NarrowedDiff,
  name: string,
  dialect: SqlDialect,
): AsyncGenerator<readonly string[]> {
  const { from, to, schema } = diff;
  if (to === null) {
    yield [`DROP TABLE ${sqlName(name)};`];
    return;
  }
  const { before, after } =
    from === null
      ? { before: [createTable(name, to, dialect)], after: [] }
      : schemaStatements(name, { schema, from, to }, dialect);
  yield before;
  const target = openTarget(diff, name, dialect);
  for await (const batch of diff.changes()) {
    yield batch.map((change) => rowStatement(target, change)).filter((text) => text !== '');
  }
  yield after;
}

interface Target {
  readonly name: string;
  readonly pairs: readonly ColumnPair[];
  /** The columns of the from-side's key. */
  readonly key: readonly ColumnPair[];
  readonly dialect: SqlDialect;
  /** What tells equal rows of a table without a key apart. */
  readonly rowId: string;
}

function openTarget({ from, to }: NarrowedDiff, name: string, dialect: SqlDialect): Target {
  const pairs = pairColumns(from, to);
  const key = (from?.key ?? []).map((index) => pairs.find((pair) => pair.from === index)!);
  return { name: sqlName(name), pairs, key, dialect, rowId: rowIdName(pairs, dialect) };
}

/** SQLite's row id goes by the first of three names that no column has. */
function rowIdName(pairs: readonly ColumnPair[], dialect: SqlDialect): string {
  if (dialect === 'postgres') return 'ctid';
  const taken = new Set(pairs.map(({ name }) => name.toLowerCase()));
  return ['rowid', '_rowid_', 'oid'].find((name) => !taken.has(name)) ?? 'rowid';
}

function rowStatement(target: Target, change: RowChange): string {
  if (change.change === 'added') return insert(target, change);
  const where = whereRow(target, change);
  if (change.change === 'removed') return `DELETE FROM ${target.name} WHERE ${where};`;
  const sets = target.pairs
    .filter(({ from, to }) => to >= 0 && cellAt(change.from, from) !== change.to[to])
    .map(({ name, to, type }) => {
      return `${sqlName(name)} = ${sqlLiteral(change.to[to], type, target.dialect)}`;
    });
  return sets.length === 0 ? '' : `UPDATE ${target.name} SET ${sets.join(', ')} WHERE ${where};`;
}

function insert({ name, pairs, dialect }: Target, { to: row }: RowChange): string {
  const there = pairs.filter(({ to }) => to >= 0);
  const names = there.map((pair) => sqlName(pair.name)).join(', ');
  const values = there.map(({ to, type }) => sqlLiteral(cellAt(row, to), type, dialect));
  return `INSERT INTO ${name} (${names}) VALUES (${values.join(', ')});`;
}

/** A condition that holds for the from-side of `change`, and no other row. */
function whereRow({ name, pairs, key, dialect, rowId }: Target, change: RowChange): string {
  // Without a key, all cells: those of columns just added are null in a row that was there.
  const where = (key.length > 0 ? key : pairs)
    .map((pair) => sqlEquals(pair.name, cellAt(change.from, pair.from), pair.type, dialect))
    .join(' AND ');
  if (key.length > 0) return where;
  return `${rowId} = (SELECT ${rowId} FROM ${name} WHERE ${where} LIMIT 1)`;
}

/**
 * `--where`: an SQL expression over the columns of one row, evaluated by an SQLite database in
 * memory that holds nothing. The expression sees cells by the type of their column, with the
 * affinity that a column of an SQLite table would have:
 *
 *   integer         INTEGER, all of int64
 *   decimal, float  REAL, so more than 15 digits are not told apart; NaN is NULL
 *   boolean         1 or 0: `active`, `active = true`, `active = 1`; and `active = 'true'`,
 *                   see condition-tokens.ts
 *   all others      TEXT: dates compare as text and go into date(), JSON into ->>
 *
 * A cell that is not of its column's type is NULL. A condition that is NULL does not hold.
 */
import Database from 'better-sqlite3';
import { DvError } from '../errors.ts';
import { foldCase, rewriteBooleans, tokenize } from './condition-tokens.ts';

export interface ConditionColumn {
  readonly name: string;
  /** One of the column types of a schema. */
  readonly type: string;
}

export interface Condition {
  /** Columns the expression names, as indices in ascending order. */
  readonly columns: readonly number[];
  /**
   * Whether the condition holds; `cells` as the columns given, though only those named are
   * looked at. Cost: about half a microsecond. @throws DvError `bad-condition`
   */
  test(cells: readonly (string | null)[]): boolean;
  /** Frees the database; twice is fine. */
  close(): void;
}

/** @throws DvError `bad-condition` with SQLite's own words */
export function compileCondition(sql: string, columns: readonly ConditionColumn[]): Condition {
  const tokens = tokenize(sql);
  const words = tokens.filter((token) => token.kind === 'name').map((token) => token.meaning);
  const named = namedColumns(words, columns, sql);
  const used = named.map((i) => columns[i]);
  const booleans = new Set(
    used.filter(({ type }) => type === 'boolean').map(({ name }) => foldCase(name)),
  );
  const expression = rewriteBooleans(tokens, (name) => booleans.has(foldCase(name)));
  const database = new Database(':memory:');
  try {
    const statement = prepare(database, expression, used);
    const values: Value[] = used.map(() => null);
    const bind = used.map(({ type }) => BINDERS[type] ?? bindText);
    const test = (cells: readonly (string | null)[]): boolean => {
      for (let i = 0; i < named.length; i++) {
        const cell = cells[named[i]];
        values[i] = cell === null ? null : bind[i](cell);
      }
      return statement.get(values) === 1;
    };
    test(columns.map(() => null));
    return { columns: named, test: guarded(test, sql, columns), close: () => database.close() };
  } catch (error) {
    database.close();
    throw badCondition(sql, error, columns);
  }
}

/** Data can make an expression fail that was fine so far: malformed JSON, say. */
function guarded(
  test: Condition['test'],
  sql: string,
  columns: readonly ConditionColumn[],
): Condition['test'] {
  return (cells) => {
    try {
      return test(cells);
    } catch (error) {
      throw badCondition(sql, error, columns);
    }
  };
}

/** An exact name goes before one in another case. */
function namedColumns(
  words: readonly string[],
  columns: readonly ConditionColumn[],
  sql: string,
): number[] {
  const exact = new Map<string, number>();
  const folded = new Map<string, number>();
  columns.forEach(({ name }, i) => {
    if (!exact.has(name)) exact.set(name, i);
    if (!folded.has(foldCase(name))) folded.set(foldCase(name), i);
  });
  const named = new Set<number>();
  for (const word of words) {
    const column = exact.get(word) ?? folded.get(foldCase(word));
    if (column !== undefined) named.add(column);
  }
  const list = [...named].sort((a, b) => a - b);
  const distinct = new Set(list.map((i) => foldCase(columns[i].name)));
  if (distinct.size === list.length) return list;
  const reason = new Error('it names columns that differ in upper and lower case only');
  throw badCondition(sql, reason, columns);
}

type Value = string | number | bigint | null;

const AFFINITIES: Readonly<Record<string, string>> = {
  integer: 'INTEGER',
  boolean: 'INTEGER',
  decimal: 'REAL',
  float: 'REAL',
};

function prepare(
  database: Database.Database,
  expression: string,
  columns: readonly ConditionColumn[],
): Database.Statement<[Value[]], number> {
  const cells = columns.map(({ name, type }) => {
    return `CAST(? AS ${AFFINITIES[type] ?? 'TEXT'}) AS "${name.replaceAll('"', '""')}"`;
  });
  const from = cells.length === 0 ? '' : ` FROM (SELECT ${cells.join(', ')})`;
  // In two kinds of brackets: only an expression can stand in both, nothing that closes one.
  database.prepare(`SELECT (\n${expression}\n)${from}`);
  return database
    .prepare<[Value[]], number>(`SELECT CASE WHEN\n${expression}\nTHEN 1 ELSE 0 END${from}`)
    .pluck();
}

function bindText(cell: string): Value {
  return cell;
}

const WHOLE = /^-?\d{1,19}$/;
const NUMBER = /^-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity)$/;
const INT64_MAX = 9223372036854775807n;

const BINDERS: Readonly<Record<string, (cell: string) => Value>> = {
  integer: (cell) => {
    if (!WHOLE.test(cell)) return null;
    if (cell.length <= 15) return Number(cell);
    const value = BigInt(cell);
    return value > INT64_MAX || value < -INT64_MAX - 1n ? null : value;
  },
  boolean: (cell) => (cell === 'true' ? 1 : cell === 'false' ? 0 : null),
  decimal: bindNumber,
  float: bindNumber,
};

function bindNumber(cell: string): Value {
  return NUMBER.test(cell) ? Number(cell) : null;
}

function badCondition(sql: string, error: unknown, columns: readonly ConditionColumn[]): DvError {
  const reason = error instanceof Error ? error.message : String(error);
  const said = /parameter/.test(reason) ? 'it has parameters, and nothing to put there' : reason;
  const names = columns.slice(0, 30).map(({ name }) => name);
  const more = columns.length > names.length ? ', ...' : '';
  return new DvError('bad-condition', `the condition "${sql}" is not valid: ${said}`, {
    hint: `the columns are: ${names.join(', ')}${more}`,
    data: { condition: sql },
    cause: error,
  });
}

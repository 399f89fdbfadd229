/** A table of a served repository at one commit, and what a reader may ask of its rows. */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { type OpenTable, openTable } from '../live/open-table.ts';
import { foldCase, tokenize } from '../store/condition-tokens.ts';
import { type Condition, compileCondition } from '../store/sqlite-condition.ts';
import { fits } from '../tuple/cell-type.ts';
import { encodeKey } from '../tuple/key-codec.ts';
import type { Column, Schema } from '../tuple/schema.ts';
import type { Served } from './contract.ts';

/** @throws DvError `unknown-table` */
export async function tableAt(
  { repository }: Served,
  root: Hash,
  name: string,
): Promise<OpenTable> {
  const table = await openTable(repository.nodes, root, name);
  if (table !== undefined && table !== null) return table;
  throw new DvError('unknown-table', `there is no table '${name.slice(0, 200)}' at this revision`, {
    hint: 'GET tables lists them',
    data: { table: name.slice(0, 200) },
  });
}

/** The encoded key of cells in key order. @throws DvError `bad-option`, `type-mismatch` */
export function keyOf(name: string, schema: Schema, cells: readonly string[]): Buffer {
  const columns = schema.key.map((place) => schema.columns[place]);
  if (columns.length === 0 || columns.length !== cells.length) {
    const names = columns.map((column) => column.name).join(', ');
    throw new DvError('bad-option', `${cells.length} cells are no key of '${name}'`, {
      hint: columns.length === 0 ? 'the table has no key' : `its key is ${names}: one cell each`,
      data: { table: name, key: columns.map((column) => column.name) },
    });
  }
  columns.forEach(({ name: column, type }, i) => {
    if (fits(type, cells[i])) return;
    throw new DvError(
      'type-mismatch',
      `"${cells[i].slice(0, 80)}" is no ${type}, as "${column}" is`,
      {
        data: { name: column, type, value: cells[i].slice(0, 320) },
      },
    );
  });
  return encodeKey(
    cells,
    columns.map(({ type }) => type),
  );
}

/** Words that would make an expression a query. */
const QUERY_WORDS = new Set(['select', 'values', 'with']);
/**
 * What may stand before a bracket: functions whose result is about as small as what they are
 * given, and words that are no functions. Others could fill memory in a few nested calls.
 */
const BEFORE_BRACKET = new Set(
  (
    'abs ceil ceiling coalesce date datetime floor glob ifnull iif instr json_array_length ' +
    'json_extract json_type json_valid julianday length like lower ltrim max min mod nullif ' +
    'octet_length pow power round rtrim sign sqrt strftime substr substring time timediff trim ' +
    'trunc typeof unixepoch upper ' +
    'and as between case cast else escape from in is not or then when'
  ).split(' '),
);

/**
 * A condition of somebody whom the server does not know: over the cells of one row, and
 * nothing that could go on without end or grow without bound. @throws DvError `bad-condition`
 */
export function guardedCondition(sql: string, columns: readonly Column[]): Condition {
  const words = tokenize(sql).filter(({ kind }) => kind !== 'space');
  const refused = words.find(({ kind, meaning }, i) => {
    if (kind !== 'name') return false;
    const word = foldCase(meaning);
    return QUERY_WORDS.has(word) || (words[i + 1]?.text === '(' && !BEFORE_BRACKET.has(word));
  });
  if (refused === undefined) return compileCondition(sql, columns);
  throw new DvError('bad-condition', `"${refused.text}" may not be in a condition here`, {
    hint: 'compare the columns of one row, as in: population > 1000',
  });
}

/** Places of named columns; undefined: all. @throws DvError `unknown-column` */
export function placesOf(
  schema: Schema,
  names: readonly string[] | undefined,
): readonly number[] | undefined {
  return names?.map((name) => {
    const place = schema.columns.findIndex((column) => column.name === name);
    if (place >= 0) return place;
    throw new DvError('unknown-column', `there is no column "${name.slice(0, 80)}"`, {
      hint: `the columns are ${schema.columns
        .slice(0, 12)
        .map((c) => c.name)
        .join(', ')}`,
      data: { name: name.slice(0, 80) },
    });
  });
}

/** A schema as answers show it. */
export const describeSchema = (schema: Schema) => ({
  columns: schema.columns,
  key: schema.key.map((place) => schema.columns[place].name),
  ...(schema.rules === undefined ? {} : { rules: schema.rules }),
});

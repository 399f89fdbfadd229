/**
 * Which schema a patched table has. A patch tells the schemas of the table it was made of;
 * the table at hand has the same columns in the same order, but may hold other cells.
 */
import { fits, joinTypes, narrowestType } from '../tuple/cell-type.ts';
import { mergeRules3, withRules } from '../tuple/merge-rules.ts';
import type { Cell, Column, ColumnType, Schema } from '../tuple/schema.ts';

const namesOf = ({ columns }: Schema): string[] => columns.map(({ name }) => name);

/** The same columns in the same order. */
export function sameColumns(a: Schema, b: Schema): boolean {
  return a.columns.length === b.columns.length && beginsWith(a, b);
}

function beginsWith(schema: Schema, begin: Schema): boolean {
  const names = namesOf(schema);
  return namesOf(begin).every((name, i) => name === names[i]);
}

/**
 * `to`, where the patch leads, with the types of the table at hand that the patch did not
 * start from widened instead of replaced, and with the rules it was given besides.
 */
export function targetSchema(stored: Schema, from: Schema | undefined, to: Schema): Schema {
  const typeIn = (schema: Schema | undefined, name: string) =>
    schema?.columns.find((column) => column.name === name)?.type;
  const columns = to.columns.map(({ name, type }): Column => {
    const before = typeIn(stored, name);
    const known = before === undefined || before === typeIn(from, name);
    return { name, type: known ? type : joinTypes(before, type) };
  });
  const { rules } = mergeRules3(from?.rules, stored.rules, to.rules);
  return withRules({ columns, key: to.key }, rules);
}

/** Whether a row of `from` is the same bytes under `to`: columns only come at the end. */
export function keepsEntries(from: Schema, to: Schema): boolean {
  const keyOf = ({ columns, key }: Schema) => key.map((i) => `${i} ${columns[i].type}`).join();
  return beginsWith(to, from) && keyOf(from) === keyOf(to);
}

/** The columns whose type under `to` does not accept all that it did under `from`. */
export function narrowedColumns(from: Schema, to: Schema): number[] {
  const types = new Map(from.columns.map(({ name, type }) => [name, type]));
  return [...to.columns.keys()].filter((i) => {
    const { name, type } = to.columns[i];
    const before = types.get(name);
    return before !== undefined && joinTypes(before, type) !== type;
  });
}

/** The schema with the columns widened in which `cells` has what they do not accept. */
export function widenSchema(schema: Schema, cells: (name: string) => Cell | undefined): Schema {
  let changed = false;
  const columns = schema.columns.map((column, i) => {
    const cell = cells(column.name) ?? null;
    if (cell === null || schema.key.includes(i) || fits(column.type, cell)) return column;
    changed = true;
    return { name: column.name, type: widenType(column.type, cell) };
  });
  return changed ? { ...schema, columns } : schema;
}

function widenType(type: ColumnType, cell: string): ColumnType {
  const bytes = Buffer.from(cell);
  return joinTypes(type, narrowestType(bytes, 0, bytes.length));
}

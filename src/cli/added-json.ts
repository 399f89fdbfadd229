/** What `add` and `import` say of one table as JSON. */
import type { AddedTable } from '../porcelain/add.ts';

/**
 * `{table,kind,change,rows:{added,removed,modified},schema}`, `schema` as in a diff; where a
 * file was read as a table also `total` (rows), `key`, `keyReason`, `columns`
 * (`{name,type,reason,sample}`), `widenings` (`{column,from,to,line,value}`) and `dialect`.
 */
export function addedAsJson({ imported, ...added }: AddedTable): unknown {
  if (imported === undefined) return added;
  const { schema, columns, rows, keyReason, widenings, dialect } = imported;
  return {
    ...added,
    total: rows,
    key: schema.key.map((i) => schema.columns[i].name),
    keyReason,
    columns: columns.map((column, i) => ({ name: schema.columns[i].name, ...column })),
    widenings: widenings.map((w) => ({ ...w, column: schema.columns[w.column].name })),
    dialect,
  };
}

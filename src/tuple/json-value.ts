/**
 * Cells as JSON text, by type. Numbers never pass through a JavaScript number, so every digit
 * survives: the lexemes of integer, decimal and float cells are JSON numbers as they stand.
 * A cell that is not of its column's type (and NaN, Infinity) becomes a string.
 */
import { fits } from './cell-type.ts';
import type { Cell, ColumnType, Row, Schema } from './schema.ts';

/** One line of JSON for a cell: no raw line breaks, so NDJSON may hold it. */
export function cellToJson(type: ColumnType, cell: Cell): string {
  if (cell === null) return 'null';
  switch (type) {
    case 'integer':
    case 'decimal':
    case 'float':
      return fits(type, cell) && !/[yN]$/.test(cell) ? cell : JSON.stringify(cell);
    case 'boolean':
      return fits(type, cell) ? cell : JSON.stringify(cell);
    case 'json':
      return fits(type, cell) ? onOneLine(cell) : JSON.stringify(cell);
    default:
      return JSON.stringify(cell);
  }
}

/** Line breaks in valid JSON stand between tokens, never inside a string. */
function onOneLine(json: string): string {
  return json.replace(/[\r\n]+[ \t]*/g, ' ').trim();
}

/**
 * A row as a JSON object with its members in schema order.
 * `columns`: which schema columns to take; all when absent.
 */
export function rowToJson(schema: Schema, row: Row, columns?: readonly number[]): string {
  const members = (columns ?? schema.columns.map((_, i) => i)).map((i) => {
    const { name, type } = schema.columns[i];
    return `${JSON.stringify(name)}:${cellToJson(type, row[i] ?? null)}`;
  });
  return `{${members.join(',')}}`;
}

/**
 * Names, types and values as SQL, for SQLite and Postgres. What both understand is written
 * alike; they differ in type names, booleans, bytes, and in characters that no statement should
 * hold raw (controls, marks of direction), which are spelled with `char(27)` or `\u001b`.
 *
 * SQLite keeps numbers of more than about 15 digits only as near as its REAL comes.
 */
import type { Cell, ColumnType } from '../../../tuple/schema.ts';

export const SQL_DIALECTS = ['sqlite', 'postgres'] as const;
export type SqlDialect = (typeof SQL_DIALECTS)[number];

const TYPE_NAMES: Readonly<Record<SqlDialect, Readonly<Record<ColumnType, string>>>> = {
  sqlite: {
    text: 'TEXT',
    integer: 'INTEGER',
    decimal: 'NUMERIC',
    float: 'REAL',
    boolean: 'BOOLEAN',
    date: 'DATE',
    timestamp: 'TIMESTAMP',
    json: 'TEXT', // JSON would have numeric affinity
    bytes: 'BLOB',
  },
  postgres: {
    text: 'TEXT',
    integer: 'BIGINT',
    decimal: 'NUMERIC',
    float: 'DOUBLE PRECISION',
    boolean: 'BOOLEAN',
    date: 'DATE',
    timestamp: 'TIMESTAMP',
    json: 'JSON',
    bytes: 'BYTEA',
  },
};

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const UNSAFE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export function sqlType(type: ColumnType, dialect: SqlDialect): string {
  return TYPE_NAMES[dialect][type];
}

export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A cell as a literal of its column's type; text where it does not look like one. */
export function sqlLiteral(cell: Cell, type: ColumnType, dialect: SqlDialect): string {
  if (cell === null) return 'NULL';
  switch (type) {
    case 'integer':
    case 'decimal':
    case 'float':
      return NUMBER.test(cell) ? cell : quote(cell, dialect);
    case 'boolean':
      return cell === 'true' || cell === 'false' ? truth(cell, dialect) : quote(cell, dialect);
    case 'bytes':
      return BASE64.test(cell) ? bytes(cell, dialect) : quote(cell, dialect);
    default:
      return quote(cell, dialect);
  }
}

/** Condition that a column holds a cell; nulls are equal. */
export function sqlEquals(name: string, cell: Cell, type: ColumnType, dialect: SqlDialect): string {
  if (cell === null) return `${sqlName(name)} IS NULL`;
  if (type === 'json' && dialect === 'postgres') {
    return `CAST(${sqlName(name)} AS TEXT) = ${quote(cell, dialect)}`; // json has no equality
  }
  return `${sqlName(name)} = ${sqlLiteral(cell, type, dialect)}`;
}

/** SQLite takes TRUE for a column where there is one of that name. */
function truth(cell: 'true' | 'false', dialect: SqlDialect): string {
  if (dialect === 'postgres') return cell.toUpperCase();
  return cell === 'true' ? '1' : '0';
}

function bytes(base64: string, dialect: SqlDialect): string {
  const hex = Buffer.from(base64, 'base64').toString('hex');
  return dialect === 'sqlite' ? `X'${hex}'` : `'\\x${hex}'`;
}

function quote(text: string, dialect: SqlDialect): string {
  const plain = (part: string) => `'${part.replaceAll("'", "''")}'`;
  if (text.search(UNSAFE) < 0) return plain(text);
  if (dialect === 'postgres') {
    const escaped = plain(text.replaceAll('\\', '\\\\'));
    return `E${escaped.replace(UNSAFE, (char) => `\\u${hex(char)}`)}`;
  }
  const parts = text.split(new RegExp(`(${UNSAFE.source})`)).filter((part) => part !== '');
  const terms = parts.map((part) =>
    part.search(UNSAFE) < 0 ? plain(part) : `char(${part.charCodeAt(0)})`,
  );
  return `(${terms.join(' || ')})`;
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(4, '0');
}

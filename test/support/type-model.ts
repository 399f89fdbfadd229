/** Which texts belong to which type, said with regular expressions, BigInt, Date and JSON. */
import type { ColumnType } from '../../src/tuple/schema.ts';

const NUMBER = '-?(0|[1-9][0-9]*)(\\.[0-9]+)?';
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?';
const ZONE = '(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?';

const FORMS: Readonly<Record<Exclude<ColumnType, 'json' | 'bytes'>, RegExp>> = {
  text: /^/,
  integer: /^(0|-?[1-9][0-9]*)$/,
  decimal: new RegExp(`^${NUMBER}$`),
  float: new RegExp(`^(${NUMBER}([eE][+-]?[0-9]{1,9})?|NaN|-?Infinity)$`),
  boolean: /^(true|false)$/,
  date: /^\d{4}-\d\d-\d\d$/,
  timestamp: new RegExp(`^\\d{4}-\\d\\d-\\d\\d([T ]${TIME}${ZONE})?$`),
};

export function fitsModel(type: ColumnType, text: string): boolean {
  if (type === 'json') return isParsed(text);
  if (type === 'bytes') return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && isBase64(text);
  if (!FORMS[type].test(text)) return false;
  if (type === 'integer') return BigInt.asIntN(64, BigInt(text)) === BigInt(text);
  return !(type === 'date' || type === 'timestamp') || isDay(text.slice(0, 10));
}

function isBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text;
}

function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isParsed(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

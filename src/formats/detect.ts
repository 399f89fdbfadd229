/**
 * Which format a file has, by its name: `cities.csv`, `events.ndjson.gz`.
 */
import { DvError } from '../errors.ts';
import { FORMAT_NAMES, type FormatName } from './contract.ts';

export type Compression = 'gzip' | 'zstd';

const FORMATS: Readonly<Record<string, FormatName>> = {
  csv: 'csv',
  psv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
  parquet: 'parquet',
  pq: 'parquet',
};

const COMPRESSIONS: Readonly<Record<string, Compression>> = { gz: 'gzip', zst: 'zstd' };

export interface FileFormat {
  /** undefined: the name does not tell. */
  readonly format: FormatName | undefined;
  readonly compression: Compression | undefined;
}

/**
 * The format named by `explicit`, else by the extension.
 * @throws DvError `unknown-format` when `explicit` names none
 */
export function formatOf(fileName: string, explicit?: string): FileFormat {
  const parts = fileName
    .slice(fileName.search(/[^/\\]*$/))
    .toLowerCase()
    .split('.')
    .slice(1);
  const compression = lookUp(COMPRESSIONS, parts.at(-1));
  if (compression !== undefined) parts.pop();
  const format = explicit === undefined ? lookUp(FORMATS, parts.at(-1)) : parseFormat(explicit);
  return { format, compression };
}

/**
 * Like `formatOf`, for a caller that needs a format.
 * @throws DvError `unknown-format`
 */
export function requireFormat(
  fileName: string,
  explicit?: string,
): FileFormat & { readonly format: FormatName } {
  const { format, compression } = formatOf(fileName, explicit);
  if (format === undefined) throw unknownFormat(fileName, `"${fileName}" does not tell its format`);
  return { format, compression };
}

function parseFormat(text: string): FormatName {
  const format = lookUp(FORMATS, text.toLowerCase());
  if (format === undefined) throw unknownFormat(text, `"${text}" is not a format`);
  return format;
}

function unknownFormat(value: string, message: string): DvError {
  return new DvError('unknown-format', `${message}; known are ${FORMAT_NAMES.join(', ')}`, {
    hint: 'name it with --format',
    data: { value, known: FORMAT_NAMES },
  });
}

function lookUp<T>(table: Readonly<Record<string, T>>, name: string | undefined): T | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

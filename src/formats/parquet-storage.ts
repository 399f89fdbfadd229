/**
 * How a leaf column is stored: its schema element, and cell texts as the values that
 * hyparquet-writer takes for it. Parquet has several ways to store most kinds; dv writes one.
 */
import type { ConvertedType, SchemaElement } from 'hyparquet';
import { isJson } from '../tuple/json-scan.ts';
import type { LeafKind } from './parquet-kinds.ts';
import {
  parseBase64,
  parseDate,
  parseDecimal,
  parseFloat16,
  parseFloat32,
  parseFloat64,
  parseInteger,
  parseInterval,
  parseTime,
  parseTimestamp,
  parseUuid,
} from './parquet-parse.ts';

export interface Storage {
  /** Without name and repetition. */
  readonly element: Omit<SchemaElement, 'name'>;
  /** The value of a cell; undefined where the column cannot hold its exact text. */
  readonly parse: (text: string) => unknown;
  /** The library's dictionary takes 0 and -0 for one value. */
  readonly plain?: boolean;
  /** Minima and maxima are of use, and short. */
  readonly statistics: boolean;
}

/** A storage with its elements: one, or those of a nested column in preorder. */
export interface ColumnStorage extends Omit<Storage, 'element'> {
  readonly elements: (name: string) => SchemaElement[];
}

/** The largest number of digits that readers in general take. */
export const MAX_PRECISION = 38;

export const TEXT: Storage = {
  element: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  parse: (text) => text,
  statistics: true,
};

/** Kinds that the library cannot write get the nearest that gives the same texts. */
export function storageOf(kind: LeafKind): Storage {
  switch (kind.kind) {
    case 'boolean':
      return {
        element: { type: 'BOOLEAN' },
        parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
        statistics: true,
      };
    case 'integer':
      return {
        element: integerElement(kind.bits, kind.signed),
        parse: (text) => parseInteger(text, kind.bits, kind.signed),
        statistics: kind.signed,
      };
    case 'float':
      return { ...FLOATS[kind.bits], plain: true, statistics: false };
    case 'decimal':
      return decimalStorage(kind.precision, kind.scale);
    case 'date':
      return {
        element: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
        parse: parseDate,
        statistics: true,
      };
    case 'json':
      return {
        element: { type: 'BYTE_ARRAY', logical_type: { type: 'JSON' } },
        parse: parseJson,
        statistics: false,
      };
    case 'uuid':
      return {
        element: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
        parse: parseUuid,
        statistics: false,
      };
    case 'interval':
      return {
        element: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 12, converted_type: 'INTERVAL' },
        parse: parseInterval,
        statistics: false,
      };
    case 'bytes':
      return { element: { type: 'BYTE_ARRAY' }, parse: parseBase64, statistics: false };
    case 'time':
    case 'timestamp':
    case 'int96':
      return clockStorage(kind);
    default:
      return TEXT;
  }
}

const FLOATS: Readonly<Record<16 | 32 | 64, Pick<Storage, 'element' | 'parse'>>> = {
  16: {
    element: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } },
    parse: parseFloat16,
  },
  32: { element: { type: 'FLOAT' }, parse: parseFloat32 },
  64: { element: { type: 'DOUBLE' }, parse: parseFloat64 },
};

function integerElement(bits: number, signed: boolean): Storage['element'] {
  const type = bits === 64 ? 'INT64' : 'INT32';
  if (signed && bits >= 32) return { type };
  // Not the logical type: the library writes its width as an i32, which others refuse to read.
  return { type, converted_type: `${signed ? '' : 'U'}INT_${bits}` as ConvertedType };
}

function decimalStorage(precision: number, scale: number): Storage {
  const annotation = {
    converted_type: 'DECIMAL',
    precision,
    scale,
    logical_type: { type: 'DECIMAL', precision, scale },
  } as const;
  const size = Math.ceil((precision * Math.log2(10) + 1) / 8);
  const element: Storage['element'] =
    precision <= 9
      ? { type: 'INT32', ...annotation }
      : precision <= 18
        ? { type: 'INT64', ...annotation }
        : { type: 'FIXED_LEN_BYTE_ARRAY', type_length: size, ...annotation };
  return { element, parse: (text) => parseDecimal(text, precision, scale), statistics: false };
}

function clockStorage(kind: Extract<LeafKind, { kind: 'time' | 'timestamp' | 'int96' }>): Storage {
  if (kind.kind === 'int96') return clockStorage({ kind: 'timestamp', unit: 'NANOS', utc: false });
  const { unit, utc } = kind;
  const type = kind.kind === 'time' && unit === 'MILLIS' ? 'INT32' : 'INT64';
  const name = kind.kind === 'time' ? 'TIME' : 'TIMESTAMP';
  // The old annotation has no nanoseconds and always means UTC.
  const old = utc && unit !== 'NANOS' ? { converted_type: `${name}_${unit}` as const } : {};
  return {
    element: { type, ...old, logical_type: { type: name, isAdjustedToUTC: utc, unit } },
    parse: (text) =>
      kind.kind === 'time' ? parseTime(text, unit) : parseTimestamp(text, unit, utc),
    statistics: true,
  };
}

function parseJson(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text);
  return isJson(bytes, 0, bytes.length) ? bytes : undefined;
}

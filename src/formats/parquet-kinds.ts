/**
 * What a Parquet leaf column holds, whatever its physical type and the generation of its
 * annotation (converted or logical type). Plain data: a dialect remembers it, so that a file is
 * written with the types it had.
 *
 * Source: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 */
import type { LogicalType, SchemaElement, TimeUnit } from 'hyparquet';
import type { ColumnType } from '../tuple/schema.ts';

export type LeafKind =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly bits: number; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'time'; readonly unit: TimeUnit; readonly utc: boolean }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly utc: boolean }
  | { readonly kind: 'int96' }
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'interval' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'nothing' };

const COLUMN_TYPES: Readonly<Record<LeafKind['kind'], ColumnType | undefined>> = {
  boolean: 'boolean',
  integer: 'integer',
  float: 'float',
  decimal: 'decimal',
  date: 'date',
  time: 'text',
  timestamp: 'timestamp',
  int96: 'timestamp',
  text: 'text',
  json: 'json',
  uuid: 'text',
  interval: 'text',
  bytes: 'bytes',
  nothing: undefined,
};

/** The type of a dv column with cells of this kind; undefined: every cell is null. */
export function columnTypeOf(kind: LeafKind): ColumnType | undefined {
  return COLUMN_TYPES[kind.kind];
}

/** Whether the text of a cell inside nested JSON needs quotes; numbers decide by themselves. */
export function isQuoted(kind: LeafKind): boolean {
  return !['boolean', 'integer', 'float', 'decimal'].includes(kind.kind);
}

/** An annotation that does not go with the physical type is ignored, as the format demands. */
export function kindOf(element: SchemaElement): LeafKind {
  const logical = element.logical_type ?? fromConverted(element);
  switch (element.type) {
    case 'BOOLEAN':
      return { kind: 'boolean' };
    case 'INT32':
      return int32Kind(logical, element);
    case 'INT64':
      return int64Kind(logical, element);
    case 'INT96':
      return { kind: 'int96' };
    case 'FLOAT':
      return { kind: 'float', bits: 32 };
    case 'DOUBLE':
      return { kind: 'float', bits: 64 };
    case 'FIXED_LEN_BYTE_ARRAY':
      return fixedKind(logical, element);
    default:
      return bytesKind(logical, element);
  }
}

function int32Kind(logical: LogicalType | undefined, element: SchemaElement): LeafKind {
  if (logical?.type === 'NULL') return { kind: 'nothing' };
  if (logical?.type === 'DATE') return { kind: 'date' };
  if (logical?.type === 'TIME') return timeKind(logical.unit, logical.isAdjustedToUTC);
  if (logical?.type === 'DECIMAL') return decimalKind(element, logical);
  if (logical?.type !== 'INTEGER') return { kind: 'integer', bits: 32, signed: true };
  return { kind: 'integer', bits: Math.min(logical.bitWidth, 32), signed: logical.isSigned };
}

function int64Kind(logical: LogicalType | undefined, element: SchemaElement): LeafKind {
  if (logical?.type === 'TIMESTAMP') {
    return { kind: 'timestamp', unit: logical.unit, utc: logical.isAdjustedToUTC };
  }
  if (logical?.type === 'TIME') return timeKind(logical.unit, logical.isAdjustedToUTC);
  if (logical?.type === 'DECIMAL') return decimalKind(element, logical);
  return { kind: 'integer', bits: 64, signed: logical?.type !== 'INTEGER' || logical.isSigned };
}

function fixedKind(logical: LogicalType | undefined, element: SchemaElement): LeafKind {
  if (element.converted_type === 'INTERVAL' && element.type_length === 12) {
    return { kind: 'interval' };
  }
  if (logical?.type === 'UUID' && element.type_length === 16) return { kind: 'uuid' };
  if (logical?.type === 'FLOAT16' && element.type_length === 2) return { kind: 'float', bits: 16 };
  return bytesKind(logical, element);
}

function bytesKind(logical: LogicalType | undefined, element: SchemaElement): LeafKind {
  switch (logical?.type) {
    case 'STRING':
    case 'ENUM':
      return { kind: 'text' };
    case 'JSON':
      return { kind: 'json' };
    case 'DECIMAL':
      return decimalKind(element, logical);
    case 'NULL':
      return { kind: 'nothing' };
    default:
      return { kind: 'bytes' };
  }
}

function timeKind(unit: TimeUnit, utc: boolean): LeafKind {
  return { kind: 'time', unit, utc };
}

function decimalKind(element: SchemaElement, logical: { precision: number; scale: number }) {
  return {
    kind: 'decimal',
    precision: element.precision ?? logical.precision,
    scale: element.scale ?? logical.scale ?? 0,
  } as const;
}

/** The logical type that an old annotation stands for. */
function fromConverted(element: SchemaElement): LogicalType | undefined {
  const converted = element.converted_type;
  switch (converted) {
    case 'UTF8':
      return { type: 'STRING' };
    case 'ENUM':
    case 'JSON':
    case 'BSON':
    case 'DATE':
      return { type: converted };
    case 'DECIMAL':
      return { type: 'DECIMAL', precision: element.precision ?? 0, scale: element.scale ?? 0 };
    case 'TIME_MILLIS':
      return { type: 'TIME', isAdjustedToUTC: true, unit: 'MILLIS' };
    case 'TIME_MICROS':
      return { type: 'TIME', isAdjustedToUTC: true, unit: 'MICROS' };
    case 'TIMESTAMP_MILLIS':
      return { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' };
    case 'TIMESTAMP_MICROS':
      return { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' };
    default: {
      const integer = /^(U?)INT_(8|16|32|64)$/.exec(converted ?? '');
      if (integer === null) return undefined;
      return { type: 'INTEGER', bitWidth: Number(integer[2]), isSigned: integer[1] === '' };
    }
  }
}

/**
 * JSON: `ndjson`, one object a line, and `json`, one array of objects. Both stream: memory is
 * bounded by a batch and the largest record.
 *
 *   cell text   strings unescaped; numbers as they are written; true, false; objects and arrays
 *               as JSON text without white space between tokens, otherwise as they are written
 *   null cell   null, or no such member
 *   columns     names in order of first appearance; a record may bring new ones
 *
 * Which cells need JSON text to be told apart, and why: docs/decisions/0004.
 */
import type { Schema } from '../tuple/schema.ts';
import type { ByteSource, Dialect, Format, ReadOptions } from './contract.ts';
import { JsonReader } from './json-reader.ts';
import { JsonWriter } from './json-writer.ts';

/** One object a line. */
export const ndjson: Format = jsonFormat('ndjson');

/** One array of objects. */
export const json: Format = jsonFormat('json');

function jsonFormat(name: 'ndjson' | 'json'): Format {
  return {
    openReader: async (source: ByteSource, options: ReadOptions) =>
      new JsonReader(name, source, options),
    createWriter: (schema: Schema, dialect: Dialect) =>
      new JsonWriter(schema, { ...dialect, format: name }),
  };
}

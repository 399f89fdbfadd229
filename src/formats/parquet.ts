/**
 * Parquet, through hyparquet and hyparquet-writer, which are loaded with the first file. Cells
 * are texts, one spelling a value (parquet-text.ts); what is written reads back as the same
 * text. Which Parquet type holds which dv type: docs/decisions/0004.
 */
import type { Schema } from '../tuple/schema.ts';
import type { ByteSource, Dialect, Format } from './contract.ts';
import { openParquet } from './parquet-reader.ts';
import { ParquetTableWriter } from './parquet-writer.ts';

export const parquet: Format = {
  openReader: (source: ByteSource) => openParquet(source),
  createWriter: (schema: Schema, dialect: Dialect) => new ParquetTableWriter(schema, dialect),
};

/**
 * CSV and TSV (and any other one-byte delimiter): RFC 4180, with the liberties that
 * csv-reader.ts and csv-writer.ts name. TSV is CSV whose delimiter is a tab unless told
 * otherwise. https://www.rfc-editor.org/rfc/rfc4180
 */
import type { Format } from './contract.ts';
import { openCsvReader } from './csv-reader.ts';
import { createCsvWriter } from './csv-writer.ts';

export const csv: Format = {
  openReader: (source, options) => openCsvReader('csv', source, options),
  createWriter: createCsvWriter,
};

export const tsv: Format = {
  openReader: (source, options) => openCsvReader('tsv', source, options),
  createWriter: createCsvWriter,
};

/**
 * The formats by name, each loaded when it is first used, so that a command that reads a
 * CSV does not pay for Parquet.
 */
import type { Format, FormatName } from './contract.ts';

const LOADERS: Readonly<Record<FormatName, () => Promise<Format>>> = {
  csv: async () => (await import('./csv.ts')).csv,
  tsv: async () => (await import('./csv.ts')).tsv,
  ndjson: async () => (await import('./json.ts')).ndjson,
  json: async () => (await import('./json.ts')).json,
  parquet: async () => (await import('./parquet.ts')).parquet,
};

export function loadFormat(name: FormatName): Promise<Format> {
  return LOADERS[name]();
}

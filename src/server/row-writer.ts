/** The one row writer of a served repository: requests of all callers share its transactions. */
import type { RowWriter } from '../live/contract.ts';
import { createRowWriter } from '../live/writer.ts';
import type { Served, ServerContext } from './contract.ts';

export function rowWriterOf(served: Served, { environment }: ServerContext): RowWriter {
  const { store } = served.repository;
  return served.shared('row-writer', () => createRowWriter(store, environment));
}

/** The one row of `counters` (sqlite-schema.ts). */
import { bug } from '../errors.ts';
import type { SqliteFile } from './sqlite-file.ts';

export interface Counters {
  readonly next_id: number;
  readonly gc_round: number;
  readonly gc_top: number;
}

export function readCounters(file: SqliteFile): Counters {
  const row = file.sql<Counters>('SELECT next_id, gc_round, gc_top FROM counters').get();
  if (row === undefined) throw bug('the store has no counters');
  return row;
}

/** The one row writer of a served repository: requests of all callers share its transactions. */
import type { RowWriter } from '../live/contract.ts';
import { createRowWriter } from '../live/writer.ts';
import type { Served, ServerContext } from './contract.ts';

export function rowWriterOf(
  served: Served,
  { environment: { now, randomId } }: ServerContext,
): RowWriter {
  const { repository } = served;
  return served.shared('row-writer', () =>
    createRowWriter(repository.store, {
      now,
      randomId,
      // What it moves to is not known yet; a move it is.
      guard: async (ref, head) =>
        repository.guard?.({ ref, old: head, new: head, strategy: 'ff-only' }),
      moved: async (ref) => repository.moved?.([ref]),
    }),
  );
}

/** A live filtered diff: what of a commit a condition wants. */
import type { CommitEvent, TableRowCounts } from '../../live/contract.ts';
import type { FormatScene } from './watch-format.ts';

/** The event with the counts of rows that match; undefined: none does. */
export async function narrowEvent(
  event: CommitEvent,
  { source, tables, where }: FormatScene,
): Promise<CommitEvent | undefined> {
  if (where === undefined) return event;
  const counts: TableRowCounts[] = [];
  for await (const diff of source.changes(event.old, event.new, { tables, where })) {
    const count = { table: diff.table, added: 0, removed: 0, modified: 0 };
    let rows = 0;
    for await (const batch of diff.changes()) {
      for (const { change } of batch) count[change] += 1;
      rows += batch.length;
    }
    if (rows > 0) counts.push(count);
  }
  return counts.length === 0 ? undefined : { ...event, tables: counts };
}

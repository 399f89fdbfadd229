/** What `stash pop` and `stash apply` say. */
import type { StashApplyResult } from '../porcelain/stash.ts';
import type { Context } from './context.ts';
import { conflictAsJson, renderConflictSummary } from './render/merge-conflicts.ts';
import { renderSummary } from './render/row-counts.ts';

/** @returns the exit status */
export function showApplied(context: Context, result: StashApplyResult): number {
  const { outcome, entry, dropped, tables, conflicts } = result;
  if (context.json) {
    const left = conflicts.map(conflictAsJson);
    context.out.json({ outcome, stash: entry.commit, dropped, tables, conflicts: left });
  } else if (!context.quiet) {
    context.out.write(renderConflictSummary(conflicts, context));
    context.out.write(renderSummary(result, context));
  }
  if (outcome === 'applied') return 0;
  context.note('hint: dv resolve settles them, dv merge --abort goes back; the stash is kept');
  return 1;
}

/** What `stash pop` and `stash apply` say. */
import type { StashApplyResult } from '../porcelain/stash.ts';
import type { Context } from './context.ts';
import {
  conflictAsJson,
  renderConflictSummary,
  renderReused,
  reusedAsJson,
} from './render/merge-conflicts.ts';
import { renderSummary } from './render/row-counts.ts';

/** @returns the exit status */
export function showApplied(context: Context, result: StashApplyResult): number {
  const { outcome, entry, dropped, tables, conflicts, reused } = result;
  if (context.json) {
    const left = conflicts.map(conflictAsJson);
    const stash = entry.commit;
    context.out.json({
      outcome,
      stash,
      dropped,
      tables,
      conflicts: left,
      ...(reused && { reused: reusedAsJson(reused) }),
    });
  } else if (!context.quiet) {
    context.out.write(renderConflictSummary(conflicts, context));
    context.out.write(renderSummary(result, context) + renderReused(reused));
  }
  if (outcome === 'applied') return 0;
  context.note('hint: dv resolve settles them, dv merge --abort goes back; the stash is kept');
  return 1;
}

/** What `undo` and `redo` say. */
import { shortRefName } from '../model/names.ts';
import type { UndoResult } from '../porcelain/undo.ts';
import type { Context } from './context.ts';
import { shortHash } from './render/commit-parts.ts';

export function showUndone(
  context: Context,
  verb: 'undo' | 'redo',
  result: UndoResult,
  dryRun: boolean,
): void {
  const { operation, refs, pushed } = result;
  if (context.json) context.out.json(result);
  else if (!context.quiet) {
    const done = verb === 'undo' ? 'Undone' : 'Done again';
    const would = verb === 'undo' ? 'Would undo' : 'Would do again';
    context.out.line(`${dryRun ? would : done}: ${context.shownLine(operation)}`);
    for (const { name, from, to } of refs) {
      const hash = (commit: typeof from) =>
        commit === null ? '(none)' : context.paint.hash(shortHash(commit));
      const ref = context.shownLine(shortRefName(name));
      context.out.line(` ${ref}: ${hash(from)} → ${hash(to)}`);
    }
  }
  if (pushed.length > 0) {
    context.note(`warning: ${pushed.join(', ')} has it already; others may build on it`);
  }
}

/** Conflicts of a merge in a line each: what `merge` and `status` say of them. */
import type { EntryConflict } from '../../model/merge-types.ts';
import type { ResolveResult } from '../../porcelain/resolve.ts';
import type { Context } from '../context.ts';
import { formatCount } from './count.ts';

type Shown = Pick<Context, 'paint' | 'shownLine'>;

/** `CONFLICT in cities.csv: 3 rows` */
export function renderConflictSummary(conflicts: readonly EntryConflict[], shown: Shown): string {
  return conflicts.map((conflict) => `${renderConflictLine(conflict, shown)}\n`).join('');
}

export function renderConflictLine(conflict: EntryConflict, { paint, shownLine }: Shown): string {
  const head = `${paint.error('CONFLICT')} in ${shownLine(conflict.table)}: `;
  switch (conflict.kind) {
    case 'rows':
      return head + formatCount(conflict.count, 'rows');
    case 'table':
      return head + conflict.reasons.map(shownLine).join('; ');
    case 'file':
      return `${head}the file changed on both sides`;
  }
}

export function conflictAsJson(conflict: EntryConflict): unknown {
  const { table, kind } = conflict;
  if (conflict.kind === 'rows') return { table, kind, rows: conflict.count };
  return conflict.kind === 'table' ? { table, kind, reasons: conflict.reasons } : { table, kind };
}

/** ` 2 conflicts resolved as before (dv rerere); 1 left` */
export function renderReused(reused: ResolveResult | undefined): string {
  if (reused === undefined) return '';
  const { resolved, partly, left } = reused;
  const half = partly === 0 ? '' : `, ${partly} in part`;
  return ` ${formatCount(resolved, 'conflicts')} resolved as before (dv rerere)${half}; ${left} left\n`;
}

export function reusedAsJson({ resolved, partly, left }: ResolveResult): unknown {
  return { resolved, partly, left };
}

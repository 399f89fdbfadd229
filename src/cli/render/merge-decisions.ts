/** What merge rules decided, and which rows got new keys. */
import type { Decision, Renumbered, Resolved } from '../../model/merge-types.ts';
import type { Cell } from '../../tuple/schema.ts';
import type { Context } from '../context.ts';
import { formatCount, formatNumber } from './count.ts';

type Shown = Pick<Context, 'paint' | 'shownLine'>;

/** Rows under new keys that a person is shown. */
const MOST_LINES = 20;

export function renderResolvedCount(
  resolved: Resolved | undefined,
  isCommitted: boolean,
  { paint }: Shown,
): string {
  if (resolved === undefined) return '';
  const many = formatNumber(resolved.count);
  const noun = resolved.count === 1 ? 'decision' : 'decisions';
  const where = isCommitted ? '; dv log --resolved -1 shows them' : '';
  return paint.dim(` ${many} ${noun} by rule${where}`).concat('\n');
}

/** A line a decision: ` cities.csv 42 population: 5 and 7 (from 3) -> 7 by max`. */
export function renderDecisions(resolved: Resolved, shown: Shown): string {
  const lines = resolved.decisions.map((decision) => `    ${decisionText(decision, shown)}\n`);
  const rest = resolved.count - resolved.decisions.length;
  const more = rest === 0 ? '' : `    … ${formatNumber(rest)} more, digest ${resolved.digest}\n`;
  return lines.join('') + more;
}

function decisionText(decision: Decision, { paint, shownLine }: Shown): string {
  const { table, key, column, rule, sides, result } = decision;
  const cell = (value: Cell) => (value === null ? '∅' : shownLine(value));
  const place = [table, ...key.map(cell)].map(shownLine).join(' ');
  if (column === null) return `${place}: ${paint.strong(rule)}`;
  const { base, ours, theirs } = sides;
  const from = paint.dim(`${cell(base)} → ${cell(ours)} | ${cell(theirs)}`);
  return `${place} ${shownLine(column)}: ${from} = ${paint.changed(cell(result))} by ${rule}`;
}

export function renderRenumbered(list: readonly Renumbered[], { shownLine }: Shown): string {
  if (list.length === 0) return '';
  const lines = list.slice(0, MOST_LINES).map(({ table, from, to }) => {
    return ` ${shownLine(table)}: key ${from.join(',')} is now ${to.join(',')}\n`;
  });
  const rest = list.length - lines.length;
  const head = ` ${formatCount(list.length, 'rows')} got new keys:\n`;
  return head + lines.join('') + (rest === 0 ? '' : ` … ${formatNumber(rest)} more\n`);
}

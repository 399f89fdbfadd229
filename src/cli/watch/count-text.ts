/** Row counts of a table on one line: `cities.csv +3 -1 ~2`. */
import type { TableRowCounts } from '../../live/contract.ts';
import type { Paint } from '../render/paint.ts';

export function renderCounts(
  { table, added, removed, modified }: TableRowCounts,
  paint: Paint,
  shownLine: (text: string) => string,
): string {
  const parts = [
    added > 0 ? paint.added(`+${added}`) : '',
    removed > 0 ? paint.removed(`-${removed}`) : '',
    modified > 0 ? paint.changed(`~${modified}`) : '',
  ].filter((part) => part !== '');
  return [shownLine(table), ...(parts.length === 0 ? ['='] : parts)].join(' ');
}

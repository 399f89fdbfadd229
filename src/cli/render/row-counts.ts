/**
 * Rows that differ, counted and in words: what `add`, `commit`, `status` and `log --stat`
 * say of a table.
 *
 *    cities.csv  | 12 rows added, 3 modified
 *    codes.csv   | 1 row removed
 *    README.md   | file modified
 */
import type { RowCounts } from '../../model/table-stat.ts';
import type { CommitSummary } from '../../porcelain/commit.ts';
import type { Context } from '../context.ts';
import { formatCount, formatNumber } from './count.ts';
import type { Paint } from './paint.ts';
import { displayWidth, pad } from './width.ts';

/** `12 rows added, 3 modified`; '' when no row differs. */
export function countPhrase({ added, removed, modified }: RowCounts, paint: Paint): string {
  const parts = [
    { rows: added, verb: 'added', role: paint.added },
    { rows: removed, verb: 'removed', role: paint.removed },
    { rows: modified, verb: 'modified', role: paint.changed },
  ].filter(({ rows }) => rows > 0);
  return parts
    .map(({ rows, verb, role }, i) => {
      return role(`${i === 0 ? formatCount(rows, 'rows') : formatNumber(rows)} ${verb}`);
    })
    .join(', ');
}

/** A line for each table and file; of more than `most`, the last says how many are left. */
export function renderSummary(
  { tables, files }: CommitSummary,
  { paint, shownLine }: Pick<Context, 'paint' | 'shownLine'>,
  most = Number.POSITIVE_INFINITY,
): string {
  const lines = [
    ...tables.map((counts) => ({
      name: counts.table,
      text: countPhrase(counts, paint) || paint.dim('no rows changed'),
    })),
    ...files.map(({ file, change }) => ({ name: file, text: `file ${change}` })),
  ];
  const shown = lines.length > most ? lines.slice(0, most - 1) : lines;
  const names = shown.map(({ name }) => shownLine(name));
  const width = Math.max(0, ...names.map(displayWidth));
  const text = shown.map(({ text }, i) => ` ${pad(names[i], width)} | ${text}\n`).join('');
  const rest = lines.length - shown.length;
  return rest === 0 ? text : `${text} … ${formatNumber(rest)} more\n`;
}

/**
 * How much of each table differs, for a person: like `git diff --stat`, with rows for lines.
 *
 *    cities.csv  | 1 added, 2 modified (3 cells) | +~~
 *    orders      | 120 removed                   | ----------
 *    2 tables changed: 1 added, 120 removed, 2 modified (3 cells)
 */
import type { TableStat } from '../../porcelain/diff-stat.ts';
import { formatCount, formatNumber } from './count.ts';
import { cutMiddle } from './diff/shorten.ts';
import { NO_PAINT, type Paint } from './paint.ts';
import { sanitizeLine } from './sanitize.ts';
import { displayWidth, pad } from './width.ts';

export interface DiffStatOptions {
  readonly paint?: Paint;
  /** Columns of the terminal; 80 where there is none. */
  readonly width?: number;
}

const DEFAULT_WIDTH = 80;
const LONGEST_BAR = 40;
/** Where there is less room there is no bar. */
const LEAST_BAR = 10;
const LONGEST_NAME = 40;

/** One line a table and one for all. */
export function renderDiffStat(
  stats: readonly TableStat[],
  { paint = NO_PAINT, width = DEFAULT_WIDTH }: DiffStatOptions = {},
): string {
  if (stats.length === 0) return '';
  const names = stats.map(({ table }) => cutMiddle(sanitizeLine(table), LONGEST_NAME));
  const counts = stats.map((stat) => countPhrase(stat, NO_PAINT));
  const nameWidth = Math.max(...names.map(displayWidth));
  const countWidth = Math.max(...counts.map(displayWidth));
  const room = width - nameWidth - countWidth - ' '.length - 2 * ' | '.length;
  const barWidth = room < LEAST_BAR ? 0 : Math.min(LONGEST_BAR, room);
  const most = Math.max(...stats.map(rowsOf));
  const lines = stats.map((stat, index) => {
    const phrase = countPhrase(stat, paint) + ' '.repeat(countWidth - displayWidth(counts[index]));
    const line = ` ${pad(names[index], nameWidth)} | ${phrase}`;
    const drawn = barWidth === 0 ? '' : bar(stat, most, barWidth, paint);
    return drawn === '' ? line.trimEnd() : `${line} | ${drawn}`;
  });
  return `${lines.join('\n')}\n${renderDiffSummary(stats, { paint })}`;
}

/** All tables on one line. */
export function renderDiffSummary(
  stats: readonly TableStat[],
  { paint = NO_PAINT }: Pick<DiffStatOptions, 'paint'> = {},
): string {
  const total = {
    added: 0,
    removed: 0,
    modified: 0,
    cells: 0,
    schema: stats.flatMap((s) => s.schema),
  };
  for (const stat of stats) {
    total.added += stat.added;
    total.removed += stat.removed;
    total.modified += stat.modified;
    total.cells += stat.cells;
  }
  const tables = stats.length === 0 ? 'no tables' : formatCount(stats.length, 'tables');
  const rest = stats.length === 0 ? '' : `: ${countPhrase(total, paint)}`;
  return ` ${tables} changed${rest}\n`;
}

type Counts = Pick<TableStat, 'added' | 'removed' | 'modified' | 'cells' | 'schema'>;

function countPhrase({ added, removed, modified, cells, schema }: Counts, paint: Paint): string {
  const parts: string[] = [];
  if (added > 0) parts.push(paint.added(`${formatNumber(added)} added`));
  if (removed > 0) parts.push(paint.removed(`${formatNumber(removed)} removed`));
  if (modified > 0) {
    const inCells = paint.dim(`(${formatCount(cells, 'cells')})`);
    parts.push(`${paint.changed(`${formatNumber(modified)} modified`)} ${inCells}`);
  }
  if (schema.length > 0) parts.push(formatCount(schema.length, 'schema changes'));
  return parts.length > 0 ? parts.join(', ') : 'no rows changed';
}

function rowsOf({ added, removed, modified }: TableStat): number {
  return added + removed + modified;
}

/** `+`, `-` and `~` in proportion to the rows; every kind there is has at least one. */
function bar(stat: TableStat, most: number, width: number, paint: Paint): string {
  const scale = most <= width ? 1 : width / most;
  const signs = (rows: number) => (rows === 0 ? 0 : Math.max(1, Math.round(rows * scale)));
  return [
    paint.added('+'.repeat(signs(stat.added))),
    paint.removed('-'.repeat(signs(stat.removed))),
    paint.changed('~'.repeat(signs(stat.modified))),
  ].join('');
}

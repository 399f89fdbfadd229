/**
 * Which layout suits a table on a terminal, told from its first rows. Lines that show only
 * what changed are best while they are short; rows that are new or gone, and rows with many
 * changes, read better as a grid, as long as the grid has room to show them whole.
 */
import type { RowChange } from '../../../model/change.ts';
import { layoutGrid } from './grid.ts';
import { gridWidth } from './grid-lines.ts';
import { keyWidth, type RowFrame, renderRowLines } from './row-lines.ts';

export const LAYOUTS = ['inline', 'side-by-side', 'stacked'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Side by side below this width is two narrow columns, however little they hold. */
const LEAST_SIDE_BY_SIDE = 120;
/** Rows looked at. */
const SAMPLE = 100;
/** Columns besides the key that make a grid worth while. */
const LEAST_COLUMNS = 2;
/** Share of the sampled rows that decides. */
const MOST = 0.5;

export function chooseLayout(frame: RowFrame, changes: readonly RowChange[]): Layout {
  const { width, pairs } = frame;
  if (width === undefined) return 'inline';
  const sample = changes.slice(0, SAMPLE);
  const modified = sample.filter(({ change }) => change === 'modified');
  if (modified.length < sample.length * MOST) {
    return sample.length > 1 && suitsGrid(frame, sample, width) ? 'stacked' : 'inline';
  }
  const keys = keyWidth(frame, modified);
  const short = modified.filter((change) => isOneLine(renderRowLines(frame, change, keys)));
  if (short.length >= modified.length * MOST) return 'inline';
  const whole = (layout: 'side-by-side' | 'stacked') =>
    layoutGrid(pairs, sample, gridWidth(layout, width)).whole;
  if (width >= LEAST_SIDE_BY_SIDE && whole('side-by-side')) return 'side-by-side';
  return whole('stacked') ? 'stacked' : 'inline';
}

/** Whether most cells of the rows have a value and a grid has room for more than the key. */
function suitsGrid({ pairs }: RowFrame, sample: readonly RowChange[], width: number): boolean {
  const grid = layoutGrid(pairs, sample, gridWidth('stacked', width));
  const cells = sample.flatMap(({ from, to }) => to ?? from ?? []);
  const values = cells.filter((cell) => cell !== null).length;
  const shown = grid.columns.filter(({ pair }) => !pair.key).length;
  const enough = shown >= LEAST_COLUMNS || grid.hidden === 0;
  return grid.whole && enough && values > cells.length * MOST;
}

function isOneLine(text: string): boolean {
  return text.indexOf('\n') === text.length - 1;
}

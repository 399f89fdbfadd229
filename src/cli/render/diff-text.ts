/**
 * A diff for a person at a terminal: per table a head, its changed rows in one of three
 * layouts (`row-lines.ts` and `grid-lines.ts` show them), and the counts. Text from the
 * repository is shown so that it cannot act on the terminal and nothing in it is invisible.
 */
import type { RowChange } from '../../model/change.ts';
import { pairColumns } from '../../model/diff-columns.ts';
import { DiffTally } from '../../porcelain/diff-stat.ts';
import { formatCount } from './count.ts';
import { layoutGrid } from './diff/grid.ts';
import { type GridFrame, gridWidth, renderGridHead, renderGridRow } from './diff/grid-lines.ts';
import { chooseLayout, type Layout } from './diff/layout.ts';
import { type NarrowedDiff, narrowDiffs } from './diff/narrow.ts';
import type { DiffRenderOptions, TableDiffs } from './diff/options.ts';
import { keyWidth, type RowFrame, renderRowLines } from './diff/row-lines.ts';
import { renderCounts, renderTableHead } from './diff/table-head.ts';
import { NO_PAINT } from './paint.ts';

export interface DiffTextOptions extends DiffRenderOptions {
  /** `auto` chooses by the width and the first rows of each table; a grid needs a width. */
  readonly layout?: Layout | 'auto';
}

/** Rows laid out together: their keys and columns line up. */
const GROUP = 200;
/** The width of a grid that was asked for where there is no terminal. */
const DEFAULT_WIDTH = 120;
/** Less than this shows nothing; lines are then longer than the terminal is wide. */
const LEAST_WIDTH = 40;

export async function* renderDiffText(
  diffs: TableDiffs,
  options: DiffTextOptions = {},
): AsyncGenerator<string> {
  const paint = options.paint ?? NO_PAINT;
  const totals = { tables: 0, rows: 0 };
  for await (const diff of narrowDiffs(diffs, options)) {
    if (totals.tables > 0) yield '\n';
    const frame = {
      paint,
      pairs: pairColumns(diff.from, diff.to),
      width: lineWidth(options),
    };
    yield renderTableHead(diff, paint, frame.width);
    const tally = new DiffTally(frame.pairs);
    yield* renderRows(diff, frame, options.layout ?? 'auto', tally);
    yield renderCounts(tally, diff, paint);
    totals.tables += 1;
    totals.rows += tally.rows;
  }
  if (totals.tables > 1) {
    yield `\n${formatCount(totals.rows, 'rows')} in ${formatCount(totals.tables, 'tables')}\n`;
  }
}

function lineWidth({ width, full, layout = 'auto' }: DiffTextOptions): number | undefined {
  const grid = layout === 'stacked' || layout === 'side-by-side';
  if (width === undefined || full) return grid ? Math.max(width ?? 0, DEFAULT_WIDTH) : undefined;
  return Math.max(width, LEAST_WIDTH);
}

async function* renderRows(
  diff: NarrowedDiff,
  frame: RowFrame,
  asked: Layout | 'auto',
  tally: DiffTally,
): AsyncGenerator<string> {
  let layout = asked === 'auto' ? undefined : asked;
  let head = '';
  for await (const group of groupsOf(diff)) {
    for (const change of group) tally.add(change);
    layout ??= chooseLayout(frame, group);
    const rows = layout === 'inline' ? undefined : gridFrame(frame, layout, group);
    if (!rows?.grid.fits) {
      yield renderInline(frame, group);
      head = '';
      continue;
    }
    const nextHead = renderGridHead(rows);
    const lines = group.map((change) => renderGridRow(rows, change)).join('');
    yield (nextHead === head ? '' : nextHead) + lines;
    head = nextHead;
  }
}

function gridFrame(
  { pairs, paint, width = DEFAULT_WIDTH }: RowFrame,
  layout: Exclude<Layout, 'inline'>,
  group: readonly RowChange[],
): GridFrame {
  const grid = layoutGrid(pairs, group, gridWidth(layout, width));
  return { grid, layout, paint, width };
}

function renderInline(frame: RowFrame, group: readonly RowChange[]): string {
  const keys = keyWidth(frame, group);
  return group.map((change) => renderRowLines(frame, change, keys)).join('');
}

/** Leaves put together and cut apart, so that a group lines up whatever the tree is like. */
async function* groupsOf(diff: NarrowedDiff): AsyncGenerator<readonly RowChange[]> {
  let group: RowChange[] = [];
  for await (const batch of diff.changes()) {
    for (const change of batch) {
      group.push(change);
      if (group.length < GROUP) continue;
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}

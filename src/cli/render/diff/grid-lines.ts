/**
 * Changed rows in a grid under the names of the columns.
 *
 *   stacked                             side by side
 *       id  name       population          id  name       population │ id  name    population
 *     -  1  Zürich         415367       ~   1  Zürich         415367 │  1  Zurich      421878
 *     +     Zurich         421878       -   7  Geneva         203856 │
 *     -  7  Geneva         203856       +                            │ 12  Bern        133883
 *     + 12  Bern           133883
 *
 * Stacked, the to-line of a modified row has only what changed: a blank is the cell above.
 */
import type { RowChange } from '../../../model/change.ts';
import { cellAt } from '../../../model/diff-columns.ts';
import type { Cell } from '../../../tuple/schema.ts';
import type { Paint, Role } from '../paint.ts';
import { compareCells, paintSide } from './cell-sides.ts';
import { GRID_GAP, type Grid, type GridColumn } from './grid.ts';
import { changedItems } from './row-cells.ts';
import { flow, paintLine, signOf } from './row-lines.ts';
import { cutMiddle, cutText, shortenBoth } from './shorten.ts';
import { indent, joinSpans, padSpans, type Span, spansWidth } from './spans.ts';
import { isSign, visibleCell } from './visible-text.ts';

/** Columns that the sign before each line takes. */
export const SIGN_WIDTH = 2;
const DIVIDER = ' │ ';

/** Columns for one grid out of `width`. */
export function gridWidth(layout: 'stacked' | 'side-by-side', width: number): number {
  const whole = width - SIGN_WIDTH;
  return layout === 'stacked' ? whole : Math.floor((whole - DIVIDER.length) / 2);
}

export interface GridFrame {
  readonly grid: Grid;
  readonly layout: 'stacked' | 'side-by-side';
  readonly paint: Paint;
  readonly width: number;
}

/** The names of the columns, and how many are not there. */
export function renderGridHead({ grid, layout, paint, width }: GridFrame): string {
  const titles = joinCells(
    grid.columns.map(({ title, width, align }) =>
      padSpans([{ text: cutMiddle(title, width), role: paint.dim }], width, align),
    ),
  );
  const twice = layout === 'stacked' ? titles : [...titles, divider(paint), ...titles];
  const line = [indent(SIGN_WIDTH), ...twice];
  const note = { text: `${' '.repeat(GRID_GAP)}… ${grid.hidden} more`, role: paint.dim };
  const fits = grid.hidden > 0 && spansWidth([...line, note]) <= width;
  return paintLine(fits ? [...line, note] : line);
}

export function renderGridRow(frame: GridFrame, change: RowChange): string {
  const { grid, paint } = frame;
  const cells = grid.columns.map((column) => cellPair(column, change, paint));
  const lines =
    frame.layout === 'stacked' ? stack(change, cells, paint) : [beside(change, cells, paint)];
  return lines.map(paintLine).join('') + renderBelow(frame, change);
}

function stack(change: RowChange, cells: readonly CellPair[], paint: Paint): Span[][] {
  const from = joinCells(cells.map((cell) => cell.from));
  if (change.change === 'modified') {
    // Nothing in the grid differs: what does is shown below.
    if (!cells.some((cell) => cell.differs)) return [[signOf(change, paint), ...from]];
    const to = joinCells(cells.map((cell) => (cell.differs ? cell.to : blank(cell.from))));
    return [
      [{ text: '- ', role: paint.removed }, ...from],
      [{ text: '+ ', role: paint.added }, ...to],
    ];
  }
  const cellsThere = change.to === null ? from : joinCells(cells.map((cell) => cell.to));
  return [[signOf(change, paint), ...cellsThere]];
}

function beside(change: RowChange, cells: readonly CellPair[], paint: Paint): Span[] {
  const from = joinCells(cells.map((cell) => cell.from));
  const to = joinCells(cells.map((cell) => cell.to));
  return [signOf(change, paint), ...from, divider(paint), ...to];
}

/** Changed cells for which the grid has no column. */
function renderBelow({ grid, paint, width }: GridFrame, change: RowChange): string {
  if (change.change !== 'modified' || grid.below.length === 0) return '';
  const margin = SIGN_WIDTH + GRID_GAP;
  const items = changedItems(grid.below, change, paint, width - margin);
  return items.length > 0 ? flow([indent(margin)], items, width) : '';
}

interface CellPair {
  readonly differs: boolean;
  /** Exactly as wide as the column. */
  readonly from: Span[];
  readonly to: Span[];
}

function cellPair({ pair, width, align }: GridColumn, change: RowChange, paint: Paint): CellPair {
  const from = cellAt(change.from, pair.from);
  const to = cellAt(change.to, pair.to);
  const place = (spans: Span[]) => padSpans(spans, width, align);
  if (change.change === 'modified' && from !== to) {
    const sides = compareCells(from, to, pair.type);
    const shorter = shortenBoth(sides, width);
    return {
      differs: true,
      from: place(pair.from < 0 ? [] : paintSide(shorter.from, 'removed', sides.fromSign, paint)),
      to: place(pair.to < 0 ? [] : paintSide(shorter.to, 'added', sides.toSign, paint)),
    };
  }
  const role = change.change === 'added' ? paint.added : paint.removed;
  const cut = (value: Cell) => (pair.key ? cutMiddle : cutText)(visibleCell(value), width);
  const cell = (value: Cell, there: boolean) =>
    place(there ? [{ text: cut(value), role: roleOf(change, value, pair.key, role, paint) }] : []);
  return {
    differs: false,
    from: cell(from, change.from !== null && pair.from >= 0),
    to: cell(to, change.to !== null && pair.to >= 0),
  };
}

function roleOf(
  { change }: RowChange,
  cell: Cell,
  key: boolean,
  role: Role,
  paint: Paint,
): Role | undefined {
  if (change === 'modified') return key ? undefined : paint.dim;
  return isSign(cell) ? paint.dim : role;
}

function blank(spans: readonly Span[]): Span[] {
  return padSpans([], spansWidth(spans));
}

function joinCells(cells: readonly Span[][]): Span[] {
  return joinSpans(cells, ' '.repeat(GRID_GAP));
}

function divider(paint: Paint): Span {
  return { text: DIVIDER, role: paint.dim };
}

/**
 * The columns of a grid of changed rows, for the layouts `stacked` and `side-by-side`: which
 * ones, and how wide. The key always; then every column that changes, for hiding a change
 * would be a lie; then other columns for context, as far as they fit.
 */
import type { RowChange } from '../../../model/change.ts';
import { type ColumnPair, cellAt } from '../../../model/diff-columns.ts';
import type { Cell, ColumnType } from '../../../tuple/schema.ts';
import { displayWidth } from '../width.ts';
import { compareCells } from './cell-sides.ts';
import { visibleCell, visibleText } from './visible-text.ts';

export interface GridColumn {
  readonly pair: ColumnPair;
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
}

export interface Grid {
  readonly columns: readonly GridColumn[];
  /** Columns that change but found no room: their cells are shown below their row. */
  readonly below: readonly ColumnPair[];
  /** How many columns are not shown at all. */
  readonly hidden: number;
  /** Whether it keeps to the width: a key may be too wide for any grid. */
  readonly fits: boolean;
  /** Whether every key and changed cell is shown whole. */
  readonly whole: boolean;
}

export const GRID_GAP = 2;
/** Cells wider than this are shortened however much room there is. */
const WIDEST = 60;
/** Narrower than this, or than it is by nature, a cell shows nothing worth reading. */
const NARROWEST = 20;
const NARROWEST_KEY = 32;
const WIDEST_CONTEXT = 24;
/** What "  … 12 more" behind the titles takes. */
const NOTE_WIDTH = 12;
/** Code units of a cell that are measured at most. */
const MEASURED = 400;
const NUMERIC: ReadonlySet<ColumnType> = new Set(['integer', 'decimal', 'float']);

interface Candidate {
  readonly pair: ColumnPair;
  /** Rows in which it changes. */
  readonly changes: number;
  readonly natural: number;
  width: number;
}

/** The grid in which `changes` are shown on lines of `width` columns. */
export function layoutGrid(
  pairs: readonly ColumnPair[],
  changes: readonly RowChange[],
  width: number,
): Grid {
  const changed = changedPairs(pairs, changes);
  const naturals = new Map(pairs.map((pair) => [pair, naturalWidth(pair, changes)]));
  const candidate = (pair: ColumnPair, most: number): Candidate => {
    const natural = naturals.get(pair) ?? 0;
    return { pair, natural, width: Math.min(natural, most), changes: changed.get(pair) ?? 0 };
  };
  const musts = pairs
    .filter((pair) => pair.key || changed.has(pair))
    .map((pair) => candidate(pair, WIDEST));
  const below = shrink(musts, width);
  const contexts = pairs
    .filter((pair) => !pair.key && !changed.has(pair))
    .map((pair) => candidate(pair, WIDEST_CONTEXT));
  const shown = [...musts, ...contextsThatFit(musts, contexts, width)];
  shown.sort((a, b) => Number(b.pair.key) - Number(a.pair.key) || order(pairs, a, b));
  return {
    columns: shown.map(({ pair, width }) => ({
      pair,
      title: visibleText(pair.name),
      width,
      align: NUMERIC.has(pair.type) ? 'right' : 'left',
    })),
    below: pairs.filter((pair) => below.includes(pair)),
    hidden: pairs.length - shown.length - below.length,
    fits: totalWidth(shown) <= width,
    whole: below.length === 0 && musts.every((must) => must.width === must.natural),
  };
}

/** All of them, or the first ones and room to say how many are not there. */
function contextsThatFit(
  musts: readonly Candidate[],
  contexts: readonly Candidate[],
  width: number,
): Candidate[] {
  if (totalWidth([...musts, ...contexts]) <= width) return [...contexts];
  const shown: Candidate[] = [];
  for (const context of contexts) {
    if (totalWidth([...musts, ...shown, context]) <= width - NOTE_WIDTH) shown.push(context);
  }
  return shown;
}

function order(pairs: readonly ColumnPair[], a: Candidate, b: Candidate): number {
  return pairs.indexOf(a.pair) - pairs.indexOf(b.pair);
}

function changedPairs(
  pairs: readonly ColumnPair[],
  changes: readonly RowChange[],
): ReadonlyMap<ColumnPair, number> {
  const changed = new Map<ColumnPair, number>();
  for (const change of changes) {
    if (change.change !== 'modified') continue;
    for (const pair of pairs) {
      if (cellAt(change.from, pair.from) === cellAt(change.to, pair.to)) continue;
      changed.set(pair, (changed.get(pair) ?? 0) + 1);
    }
  }
  return changed;
}

/** What the widest cell and the title take. */
function naturalWidth(pair: ColumnPair, changes: readonly RowChange[]): number {
  let widest = displayWidth(visibleText(pair.name));
  for (const change of changes) {
    const from = change.from && pair.from >= 0 ? change.from[pair.from] : undefined;
    const to = change.to && pair.to >= 0 ? change.to[pair.to] : undefined;
    for (const text of looksOf(from, to, pair.type)) widest = Math.max(widest, displayWidth(text));
  }
  return widest;
}

/** How a cell looks on each side that has it; undefined: that side has none. */
function looksOf(from: Cell | undefined, to: Cell | undefined, type: ColumnType): string[] {
  const cells = [from, to].filter((cell) => cell !== undefined).map(startOfCell);
  const [before, after] = cells;
  // Beyond ASCII a difference may have to be spelled out to be seen.
  const spelled = cells.length === 2 && before !== after && cells.some(isBeyondAscii);
  if (!spelled) return cells.map(visibleCell);
  const sides = compareCells(before, after, type);
  return [sides.from, sides.to].map((side) => side.map(({ text }) => text).join(''));
}

function startOfCell(cell: Cell): Cell {
  return cell === null ? null : cell.slice(0, MEASURED);
}

function isBeyondAscii(cell: Cell): boolean {
  return cell !== null && /[^\x20-\x7e]/.test(cell);
}

function totalWidth(candidates: readonly Candidate[]): number {
  const gaps = GRID_GAP * Math.max(0, candidates.length - 1);
  return candidates.reduce((sum, { width }) => sum + width, gaps);
}

/** Narrows the widest until all fit; what cannot fit is taken out, the least changed first. */
function shrink(candidates: Candidate[], width: number): ColumnPair[] {
  const below: ColumnPair[] = [];
  while (!narrow(candidates, width)) {
    const values = candidates.filter(({ pair }) => !pair.key);
    if (values.length === 0) break;
    const least = values.reduce((a, b) => (b.changes <= a.changes ? b : a));
    candidates.splice(candidates.indexOf(least), 1);
    below.push(least.pair);
    for (const one of candidates) one.width = Math.min(one.natural, WIDEST);
  }
  return below;
}

/** Whether the candidates fit once the widest of them are narrowed. */
function narrow(candidates: readonly Candidate[], width: number): boolean {
  for (;;) {
    const excess = totalWidth(candidates) - width;
    if (excess <= 0) return true;
    const wide = candidates.filter((one) => one.width > leastWidth(one));
    const widest = wide.reduce((a, b) => (b.width > a.width ? b : a), wide[0]);
    if (widest === undefined) return false;
    const step = Math.min(excess, Math.ceil(excess / wide.length));
    widest.width = Math.max(leastWidth(widest), widest.width - step);
  }
}

function leastWidth({ pair, natural }: Candidate): number {
  return Math.min(natural, pair.key ? NARROWEST_KEY : NARROWEST);
}

/**
 * The cells of one changed row, as the inline layout shows them: of a modified row those that
 * differ, one by one; of an added or removed row all that are not null, on one line.
 */
import type { RowChange } from '../../../model/change.ts';
import { type ColumnPair, cellAt, changedColumns } from '../../../model/diff-columns.ts';
import type { Paint, Role } from '../paint.ts';
import { compareCells, loneCell, paintSide } from './cell-sides.ts';
import { cutMiddle, cutText, fits, keepContext, shortenBoth } from './shorten.ts';
import { indent, joinSpans, type Span, spansWidth } from './spans.ts';
import { isSign, NULL_SIGN, visibleText } from './visible-text.ts';

const ARROW = ' → ';
/** Columns between two cells. */
export const GAP = '  ';
/** Context kept beside a change where both sides go on one line. */
const CONTEXTS_ON_ONE_LINE = [24, 16] as const;
const LONGEST_LABEL = 32;
const LEAST_LABEL = 8;
/** Columns that a value has behind however long a label. */
const LEAST_VALUE = 8;
/** Narrower than this the cells of a whole row are left out rather than cut. */
const LEAST_CELL = 20;

/** What is shown of one cell: a line, or two where its sides go one above the other. */
export type Item = readonly Span[][];

/** All that is shown of a row behind its key. Without `room` nothing is cut. */
export function itemsOf(
  pairs: readonly ColumnPair[],
  change: RowChange,
  paint: Paint,
  room?: number,
): Item[] {
  if (change.change === 'modified') return changedItems(pairs, change, paint, room);
  const item = loneItems(pairs, change, paint, room);
  if (item[0].length > 0) return [item];
  return pairs.some(({ key }) => key) ? [] : [[[{ text: NULL_SIGN, role: paint.dim }]]];
}

/** The changed cells of a modified row, each in at most `room` columns. */
export function changedItems(
  pairs: readonly ColumnPair[],
  change: RowChange,
  paint: Paint,
  room?: number,
): Item[] {
  return changedColumns(pairs, change).map((pair) => changedItem(pair, change, paint, room));
}

function changedItem(pair: ColumnPair, change: RowChange, paint: Paint, room?: number): Item {
  const from = cellAt(change.from, pair.from);
  const to = cellAt(change.to, pair.to);
  if (pair.from < 0) return [loneItem('+', pair.name, to, paint.added, paint, room)];
  if (pair.to < 0) return [loneItem('-', pair.name, from, paint.removed, paint, room)];
  const label = labelOf(pair.name, paint, room);
  const sides = compareCells(from, to, pair.type);
  const paintFrom = (segments: typeof sides.from) =>
    paintSide(segments, 'removed', sides.fromSign, paint);
  const paintTo = (segments: typeof sides.to) => paintSide(segments, 'added', sides.toSign, paint);
  const arrow = { text: ARROW, role: paint.dim };
  const oneLine = (a: typeof sides.from, b: typeof sides.to) => [
    [...label, ...paintFrom(a), arrow, ...paintTo(b)],
  ];
  if (room === undefined) return oneLine(sides.from, sides.to);
  const used = spansWidth(label);
  const left = room - used - ARROW.length;
  for (const context of [Number.POSITIVE_INFINITY, ...CONTEXTS_ON_ONE_LINE]) {
    const a = keepContext(sides.from, context, left);
    const b = keepContext(sides.to, context, left);
    if (fits([...a, ...b], left)) return oneLine(a, b);
  }
  const shorter = shortenBoth(sides, room - used);
  return [
    [...label, ...paintFrom(shorter.from)],
    [indent(used - 2), { text: '→ ', role: paint.dim }, ...paintTo(shorter.to)],
  ];
}

function labelOf(name: string, paint: Paint, room?: number): Span[] {
  const text = visibleText(name);
  const longest = room === undefined ? undefined : Math.min(LONGEST_LABEL, Math.floor(room / 2));
  const shown = longest === undefined ? text : cutMiddle(text, Math.max(LEAST_LABEL, longest));
  return [{ text: shown }, { text: ': ', role: paint.dim }];
}

function loneItem(
  sign: string,
  name: string,
  cell: string | null,
  role: Role,
  paint: Paint,
  room?: number,
): Span[] {
  const label = labelOf(name, paint, room);
  const [{ text }] = loneCell(cell);
  const left = room === undefined ? undefined : room - spansWidth(label) - sign.length;
  const value = left === undefined ? text : cutText(text, Math.max(LEAST_VALUE, left));
  return [{ text: sign, role }, ...label, { text: value, role: isSign(cell) ? paint.dim : role }];
}

/** The cells of an added or removed row on one line: those that are not null and not its key. */
function loneItems(
  pairs: readonly ColumnPair[],
  change: RowChange,
  paint: Paint,
  room?: number,
): Item {
  const [row, side, role] =
    change.to === null
      ? ([change.from, 'from', paint.removed] as const)
      : ([change.to, 'to', paint.added] as const);
  const shown = pairs.filter((pair) => !pair.key && cellAt(row, pair[side]) !== null);
  const cells = (most?: number) =>
    shown.map(({ name, [side]: index }) =>
      loneItem('', name, cellAt(row, index), role, paint, most),
    );
  if (room === undefined) return [joinSpans(cells(), GAP)];
  const whole = cells(room);
  const widths = whole.map(spansWidth);
  const most = largestCap(widths, room - GAP.length * (widths.length - 1));
  if (most === Number.POSITIVE_INFINITY) return [joinSpans(whole, GAP)];
  const line = most < LEAST_CELL ? [] : joinSpans(cells(most), GAP);
  const fit = line.length > 0 && spansWidth(line) <= room;
  return [fit ? line : fillLine(cells(LEAST_CELL), room, paint)];
}

/** The largest width to which all have to be cut so that together they fit into `room`. */
function largestCap(widths: readonly number[], room: number): number {
  let left = room;
  const ascending = [...widths].sort((a, b) => a - b);
  for (const [index, width] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index));
    if (width > share) return share;
    left -= width;
  }
  return Number.POSITIVE_INFINITY;
}

/** As many cells as fit, and how many do not. */
function fillLine(cells: readonly Span[][], room: number, paint: Paint): Span[] {
  const line: Span[] = [];
  let left = room;
  for (const [index, cell] of cells.entries()) {
    const gap = index > 0 ? GAP : '';
    const after = cells.length - index - 1;
    const size = gap.length + spansWidth(cell);
    if (size + (after > 0 ? GAP.length + restText(after).length : 0) > left) {
      return [...line, { text: gap + restText(after + 1), role: paint.dim }];
    }
    line.push({ text: gap }, ...cell);
    left -= size;
  }
  return line;
}

function restText(count: number): string {
  return `… ${count} more`;
}

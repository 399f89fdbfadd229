/**
 * The inline layout: a row a line, its sign, its key, and then only the cells that differ.
 *
 *   ~ 1   name: Zürich → Zurich  population: 415367 → 421878
 *   - 7   name: Geneva  country: CH
 *   + 12  name: Bern  country: CH  +mayor: Alec von Graffenried
 *
 * Cells flow into further lines where they need to; a cell that is too long for one is shown
 * on two, one text above the other. A key that would take most of the line has one to
 * itself. An added or removed row takes one line and says how many columns are left out.
 * `+name` and `-name` are columns that only that side has. Without a width nothing is cut.
 */
import type { RowChange } from '../../../model/change.ts';
import { type ColumnPair, cellAt, changedColumns } from '../../../porcelain/diff-columns.ts';
import type { Paint, Role } from '../paint.ts';
import { displayWidth } from '../width.ts';
import { compareCells, loneCell, paintSide } from './cell-sides.ts';
import { cutMiddle, cutText, fits, keepContext, shortenBoth } from './shorten.ts';
import { padSpans, paintSpans, type Span, spansWidth } from './spans.ts';
import { isSign, NULL_SIGN, visibleCell, visibleText } from './visible-text.ts';

export interface RowFrame {
  readonly pairs: readonly ColumnPair[];
  readonly paint: Paint;
  /** Columns of a line; undefined: lines may be of any length. */
  readonly width: number | undefined;
}

const ARROW = ' → ';
const GAP = '  ';
/** Indentation of cells below a key that has a line to itself. */
const HANGING = 4;
/** Share of a line that keys may take before they get one of their own. */
const KEY_SHARE = 0.3;
/** Keys longer than this are not lined up where lines may be of any length. */
const LONG_KEY = 40;
/** Context kept beside a change where both sides go on one line. */
const CONTEXTS_ON_ONE_LINE = [24, 16] as const;
const LONGEST_LABEL = 32;
const LEAST_LABEL = 8;
/** Columns that a value has behind however long a label. */
const LEAST_VALUE = 8;

/** The key as a person reads it. */
export function keyText(pairs: readonly ColumnPair[], change: RowChange): string {
  return pairs
    .filter((pair) => pair.key)
    .map(({ from, to }) => visibleCell(cellAt(change.to ?? change.from, change.to ? to : from)))
    .join(', ');
}

/** Columns of the keys of a group of rows that are lined up in one column. */
export function keyWidth(frame: RowFrame, changes: readonly RowChange[]): number {
  let widest = 0;
  for (const change of changes) {
    const width = displayWidth(keyText(frame.pairs, change));
    if (width <= longestKey(frame)) widest = Math.max(widest, width);
  }
  return widest;
}

function longestKey({ width }: RowFrame): number {
  return width === undefined ? LONG_KEY : Math.floor(width * KEY_SHARE);
}

/** One row in as many lines as it takes, `\n` behind each. `keys`: from `keyWidth`. */
export function renderRowLines(frame: RowFrame, change: RowChange, keys: number): string {
  const { pairs, paint, width } = frame;
  const key = keyText(pairs, change);
  const keySpan = { text: key, role: keyRole(change, paint) };
  const lined = displayWidth(key) <= longestKey(frame);
  const start: Span[] = [signOf(change, paint), ...padSpans([keySpan], lined ? keys : 0)];
  if (key !== '') start.push({ text: GAP });
  if (width === undefined) return paintLine([...start, ...joinItems(itemsOf(frame, change))]);
  if (lined) return flow(start, itemsOf(frame, change, width - spansWidth(start)), width);
  // A long key: on one line with its cells if all of it fits, else on a line of its own.
  const items = itemsOf(frame, change, width - HANGING);
  const oneLine = [...start, ...joinItems(items)];
  const single = items.every((item) => item.length === 1);
  if (single && spansWidth(oneLine) <= width) return paintLine(oneLine);
  const alone = [signOf(change, paint), { ...keySpan, text: cutMiddle(key, width - 2) }];
  return paintLine(alone) + flow([indent(HANGING)], items, width);
}

function keyRole({ change }: RowChange, paint: Paint): Role {
  if (change === 'added') return paint.added;
  return change === 'removed' ? paint.removed : paint.strong;
}

export function signOf({ change }: RowChange, paint: Paint): Span {
  if (change === 'added') return { text: '+ ', role: paint.added };
  return change === 'removed'
    ? { text: '- ', role: paint.removed }
    : { text: '~ ', role: paint.changed };
}

/** What is shown of one cell: a line, or two where its sides go one above the other. */
type Item = readonly Span[][];

function itemsOf({ pairs, paint }: RowFrame, change: RowChange, room?: number): Item[] {
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

/** Narrower than this the cells of a whole row are left out rather than cut. */
const LEAST_CELL = 20;

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
  if (room === undefined) return [joinSpans(cells())];
  const whole = cells(room);
  const widths = whole.map(spansWidth);
  const most = largestCap(widths, room - GAP.length * (widths.length - 1));
  if (most === Number.POSITIVE_INFINITY) return [joinSpans(whole)];
  const line = most < LEAST_CELL ? [] : joinSpans(cells(most));
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

function joinSpans(cells: readonly Span[][]): Span[] {
  return cells.flatMap((cell, index) => (index === 0 ? cell : [{ text: GAP }, ...cell]));
}

function joinItems(items: readonly Item[]): Span[] {
  return joinSpans(items.map(([line]) => [...line]));
}

/** Items one behind the other, in new lines below the first where one is full. */
export function flow(start: readonly Span[], items: readonly Item[], width: number): string {
  const margin = spansWidth(start);
  let text = '';
  let line = [...start];
  let used = margin;
  const breakLine = () => {
    text += paintLine(line);
    line = [indent(margin)];
    used = margin;
  };
  for (const item of items) {
    const size = item.length > 1 ? width : spansWidth(item[0]);
    const gap = used > margin ? GAP.length : 0;
    if (used > margin && used + gap + size > width) breakLine();
    else if (gap > 0) line.push({ text: GAP });
    line.push(...item[0]);
    used += size + gap;
    for (const more of item.slice(1)) {
      breakLine();
      line.push(...more);
      used = width;
    }
  }
  return text + paintLine(line);
}

export function indent(columns: number): Span {
  return { text: ' '.repeat(Math.max(0, columns)) };
}

/** The painted line without blanks at its end. */
export function paintLine(spans: readonly Span[]): string {
  return `${paintSpans(spans).replace(/ +$/, '')}\n`;
}

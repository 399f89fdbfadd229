/**
 * The inline layout: a row a line, its sign, its key, and then only the cells that differ.
 *
 *   ~ 1   name: Zürich → Zurich  population: 415367 → 421878
 *   - 7   name: Geneva  country: CH
 *   + 12  name: Bern  country: CH  +mayor: Alec von Graffenried
 *
 * Cells flow into further lines where they need to; a cell that is too long for one is shown
 * on two, one text above the other. A key that would take most of the line has one to
 * itself, unless all fits on one line. An added or removed row takes one line and says how many columns are left out.
 * `+name` and `-name` are columns that only that side has. Without a width nothing is cut.
 */
import type { RowChange } from '../../../model/change.ts';
import { type ColumnPair, cellAt } from '../../../model/diff-columns.ts';
import type { Paint, Role } from '../paint.ts';
import { displayWidth } from '../width.ts';
import { GAP, type Item, itemsOf } from './row-cells.ts';
import { cutMiddle } from './shorten.ts';
import { indent, joinSpans, padSpans, paintSpans, type Span, spansWidth } from './spans.ts';
import { visibleCell } from './visible-text.ts';

export interface RowFrame {
  readonly pairs: readonly ColumnPair[];
  readonly paint: Paint;
  /** Columns of a line; undefined: lines may be of any length. */
  readonly width: number | undefined;
}

/** Indentation of cells below a key that has a line to itself. */
const HANGING = 4;
/** Share of a line that keys may take before they get one of their own. */
const KEY_SHARE = 0.3;
/** Keys longer than this are not lined up where lines may be of any length. */
const LONG_KEY = 40;

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
  if (width === undefined)
    return paintLine([...start, ...joinItems(itemsOf(pairs, change, paint))]);
  if (lined) return flow(start, itemsOf(pairs, change, paint, width - spansWidth(start)), width);
  // A long key: on one line with its cells if all of it fits, else on a line of its own.
  const items = itemsOf(pairs, change, paint, width - HANGING);
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

function joinItems(items: readonly Item[]): Span[] {
  return joinSpans(
    items.map(([line]) => line),
    GAP,
  );
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

/** The painted line without blanks at its end. */
export function paintLine(spans: readonly Span[]): string {
  return `${paintSpans(spans).replace(/ +$/, '')}\n`;
}

/**
 * Shortening for a width: the differing parts of a text stay, what both sides share is
 * elided to a little context, and only then are the ends cut.
 */
import { displayWidth, truncate } from '../width.ts';
import { truncateTexts } from './spans.ts';
import type { Segment, WordDiff } from './word-diff.ts';

const ELLIPSIS = '…';
/** Columns of common text kept beside a change, the most that fits. */
const CONTEXTS = [32, 24, 16, 10] as const;
/** The least, for one change in a narrow place; where there are many, later ones go instead. */
const LEAST_CONTEXTS = [6, 3] as const;
const FEW_CHANGES = 2;
/** Code units that a column can take before a text counts as too long to measure. */
const UNITS_PER_COLUMN = 8;

const ASCII = /^[\x20-\x7e]*$/;

let clusters: Intl.Segmenter | undefined;

/** The beginning of `text` in at most `width` columns, without measuring all of a long one. */
export function cutText(text: string, width: number): string {
  const most = width * UNITS_PER_COLUMN;
  return text.length <= most ? truncate(text, width) : truncate(`${text.slice(0, most)}……`, width);
}

/** The end of `text` in at most `width` columns, not in the middle of a character. */
export function endOf(text: string, width: number): string {
  if (width <= 0) return '';
  if (ASCII.test(text.slice(-width))) return text.slice(-width);
  const tail = text.slice(-width * UNITS_PER_COLUMN);
  clusters ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  let kept = '';
  let used = 0;
  for (const { segment } of [...clusters.segment(tail)].reverse()) {
    used += displayWidth(segment);
    if (used > width) break;
    kept = segment + kept;
  }
  return kept;
}

function startOf(text: string, width: number): string {
  const head = cutText(text, width + 1);
  return head === text ? head : head.slice(0, -1);
}

/** A long name or key with its middle elided: beginnings repeat, ends tell apart. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width * UNITS_PER_COLUMN && displayWidth(text) <= width) return text;
  const head = Math.max(1, Math.floor((width - 1) / 3));
  return startOf(text, head) + ELLIPSIS + endOf(text, width - 1 - head);
}

/** Both sides in at most `width` columns each, with as much of the same context as fits. */
export function shortenBoth({ from, to }: WordDiff, width: number): WordDiff {
  const few = from.filter(({ changed }) => changed).length <= FEW_CHANGES;
  const contexts = few ? [...CONTEXTS, ...LEAST_CONTEXTS] : CONTEXTS;
  let shorter = { from, to };
  for (const context of [Number.POSITIVE_INFINITY, ...contexts]) {
    const side = (segments: readonly Segment[]) => keepContext(segments, context, width);
    shorter = { from: side(from), to: side(to) };
    if (fits(shorter.from, width) && fits(shorter.to, width)) return shorter;
  }
  return {
    from: fits(from, width) ? from : cutSegments(shorter.from, width),
    to: fits(to, width) ? to : cutSegments(shorter.to, width),
  };
}

/**
 * What differs whole, and `context` columns of common text on each side of it. Ends early
 * when it is wider than `width`: it has to be cut then anyhow.
 */
export function keepContext(
  segments: readonly Segment[],
  context: number,
  width: number,
): readonly Segment[] {
  if (context === Number.POSITIVE_INFINITY) return segments;
  const kept: Segment[] = [];
  let left = width;
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    const shorter = segment.changed
      ? segment
      : elide(segment, index > 0 ? context : 0, last ? 0 : context);
    kept.push(shorter);
    left -= columnsUpTo(shorter.text, left + 1);
    if (left < 0) break;
  }
  return kept;
}

/** The width of `text`, or more than `width` where it is long. */
function columnsUpTo(text: string, width: number): number {
  return text.length > width * UNITS_PER_COLUMN ? width : displayWidth(text);
}

/** Whether the segments take at most `width` columns. */
export function fits(segments: readonly Segment[], width: number): boolean {
  let left = width;
  for (const { text } of segments) {
    if (text.length > left * UNITS_PER_COLUMN) return false;
    left -= displayWidth(text);
    if (left < 0) return false;
  }
  return true;
}

/** A common stretch: `head` columns behind the change before it, `tail` before the next. */
function elide({ text, changed }: Segment, head: number, tail: number): Segment {
  if (fits([{ text, changed }], head + tail + 1)) return { text, changed };
  return { text: startOf(text, head) + ELLIPSIS + endOf(text, tail), changed };
}

/** No context left to give: each changed part is cut, so that more than the first is seen. */
function cutSegments(segments: readonly Segment[], width: number): Segment[] {
  if (fits(segments, width)) return [...segments];
  const parts = segments.filter((segment) => segment.changed && segment.text !== '').length;
  const share = Math.max(8, Math.floor(width / Math.min(4, parts)) - 8);
  const cut = segments.map(({ text, changed }) => ({
    text: changed ? cutText(text, share) : text,
    changed,
  }));
  return truncateTexts(cut, width);
}

/**
 * How many terminal columns a text takes, and cutting and padding to a width. A column
 * holds one grapheme cluster; East Asian wide characters and emoji take two; combining
 * marks take none. Widths follow Unicode's EastAsianWidth.txt (classes W and F) and its
 * emoji presentation property. Text must already be sanitized: it holds no controls.
 */

/** First and last code point of the wide blocks; emoji outside them are told by property. */
const WIDE_BLOCKS: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x3247],
  [0x3250, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

/** Below this code point every character that is not a mark takes one column. */
const FIRST_WIDE = 0x1100;
const EMOJI_SELECTOR = '\ufe0f';
const ELLIPSIS = '…';

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const EMOJI = /^\p{Emoji_Presentation}/u;
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]/u;

let segmenter: Intl.Segmenter | undefined;

function clusters(text: string): Iterable<{ readonly segment: string; readonly index: number }> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}

function clusterWidth(cluster: string): number {
  const code = cluster.codePointAt(0) ?? 0;
  if (NO_WIDTH.test(cluster)) return 0;
  if (code < FIRST_WIDE) return cluster.includes(EMOJI_SELECTOR) ? 2 : 1;
  if (EMOJI.test(cluster) || cluster.includes(EMOJI_SELECTOR)) return 2;
  return WIDE_BLOCKS.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** Columns that `text` takes. */
export function displayWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of clusters(text)) width += clusterWidth(segment);
  return width;
}

/** `text` cut to at most `width` columns, with an ellipsis in the last where it was cut. */
export function truncate(text: string, width: number): string {
  if (text.length <= width && PRINTABLE_ASCII.test(text)) return text;
  if (width <= 0) return '';
  let used = 0;
  let end = 0; // where the text is cut if it turns out to be too long
  for (const { segment, index } of clusters(text)) {
    used += clusterWidth(segment);
    if (used > width) return text.slice(0, end) + ELLIPSIS;
    if (used < width) end = index + segment.length;
  }
  return text;
}

/** `text` with spaces behind it (or before it) up to `width` columns; never cut. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + spaces : spaces + text;
}

/** `text` in exactly `width` columns: cut or padded. */
export function fitText(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  return pad(truncate(text, width), width, align);
}

/**
 * Text with roles, measured and cut before it is painted: widths count what the reader sees,
 * never the colour codes.
 */
import type { Role } from '../paint.ts';
import { displayWidth, truncate } from '../width.ts';

export interface Span {
  readonly text: string;
  /** Absent: not painted. */
  readonly role?: Role;
}

export function spansWidth(spans: readonly Span[]): number {
  let width = 0;
  for (const { text } of spans) width += displayWidth(text);
  return width;
}

export function paintSpans(spans: readonly Span[]): string {
  let line = '';
  for (const { text, role } of spans) line += role && text !== '' ? role(text) : text;
  return line;
}

/** The texts cut to `width` columns, an ellipsis in the last where something was cut. */
export function truncateTexts<T extends { readonly text: string }>(
  items: readonly T[],
  width: number,
): T[] {
  const kept: T[] = [];
  let left = width;
  for (const [index, item] of items.entries()) {
    const size = displayWidth(item.text);
    const more = items.slice(index + 1).some(({ text }) => text !== '');
    if (size < left || (size === left && !more)) {
      kept.push(item);
      left -= size;
    } else {
      // One column too many makes `truncate` leave the ellipsis even for a text that fits.
      const text = size === left ? truncate(`${item.text}…`, left) : truncate(item.text, left);
      kept.push({ ...item, text });
      break;
    }
  }
  return kept;
}

/** Spaces behind the spans (or before them) up to `width` columns. */
export function padSpans(
  spans: readonly Span[],
  width: number,
  align: 'left' | 'right' = 'left',
): Span[] {
  const missing = width - spansWidth(spans);
  if (missing <= 0) return [...spans];
  const space = { text: ' '.repeat(missing) };
  return align === 'left' ? [...spans, space] : [space, ...spans];
}

/** Lists of spans with `gap` between them. */
export function joinSpans(items: readonly (readonly Span[])[], gap: string): Span[] {
  return items.flatMap((item, index) => (index === 0 ? item : [{ text: gap }, ...item]));
}

export function indent(columns: number): Span {
  return { text: ' '.repeat(Math.max(0, columns)) };
}

/**
 * Both sides of one changed cell, ready to be shown: visible text in segments, those that
 * differ marked and with their blanks revealed, and the roles to paint them in.
 */
import type { Cell, ColumnType } from '../../../tuple/schema.ts';
import type { Paint } from '../paint.ts';
import type { Span } from './spans.ts';
import { isSign, looksAlike, revealPart, spellOut, visibleCell } from './visible-text.ts';
import { diffWords, type Segment, type WordDiff } from './word-diff.ts';

/** Cells that are compared as a whole: half a number marked would be read as a number. */
const WHOLE: ReadonlySet<ColumnType> = new Set(['integer', 'decimal', 'float', 'boolean']);

export interface CellSides extends WordDiff {
  /** Whether a sign stands for the cell: null or the empty string. */
  readonly fromSign: boolean;
  readonly toSign: boolean;
}

export function compareCells(from: Cell, to: Cell, type: ColumnType): CellSides {
  const signs = { fromSign: isSign(from), toSign: isSign(to) };
  const before = visibleCell(from);
  const after = visibleCell(to);
  if (signs.fromSign || signs.toSign) return { ...signs, from: whole(before), to: whole(after) };
  return { ...signs, ...compareTexts(before, after, type) };
}

/** Two different texts, made fit to be shown, neither of them a sign. */
export function compareTexts(from: string, to: string, type: ColumnType): WordDiff {
  if (WHOLE.has(type)) return { from: whole(from), to: whole(to) };
  const alike = looksAlike(from, to);
  const diff = alike ? diffWords(spellOut(from), spellOut(to)) : diffWords(from, to);
  return { from: diff.from.map(reveal), to: diff.to.map(reveal) };
}

/** One cell alone, such as of an added row. */
export function loneCell(cell: Cell): Segment[] {
  return whole(visibleCell(cell));
}

function whole(text: string): Segment[] {
  return [{ text, changed: true }];
}

function reveal({ text, changed }: Segment): Segment {
  return { text: changed ? revealPart(text) : text, changed };
}

/** Segments of one side in colour: parts stand out where not all of the cell differs. */
export function paintSide(
  segments: readonly Segment[],
  side: 'removed' | 'added',
  sign: boolean,
  paint: Paint,
): Span[] {
  const parts = segments.some(({ text, changed }) => !changed && text !== '');
  const changedRole = sign ? paint.dim : parts ? paint[`${side}Part`] : paint[side];
  return segments.map(({ text, changed }) => ({ text, role: changed ? changedRole : paint[side] }));
}

/**
 * The look of a cell on a terminal: one line, nothing a terminal would obey, and nothing
 * that cannot be told from something else.
 *
 *   null                             ∅
 *   the empty string                 ""   (a cell that reads ∅ or "" itself is quoted)
 *   line feed, tab                   ⏎ and ⇥
 *   spaces at the ends of a line,    ·
 *   two or more in a row
 *   other blanks at the ends         <U+00A0>
 *   controls, marks of direction     as `sanitizeLine` shows them
 */
import type { Cell } from '../../../tuple/schema.ts';
import { sanitizeLine } from '../sanitize.ts';

export const NULL_SIGN = '∅';
export const EMPTY_SIGN = '""';

const BARE = /^[!#-~]+(?: [!#-~]+)*$/;
const LOOSE_SPACES = /(?: +(?=␍?⏎)|(?<=⏎) +| {2,})/g;
/** White space, and characters without a shape or an effect. */
const BLANK = /\u034f|[\p{Zs}\u00ad\u200b\u2060-\u2064\ufeff]/gu;
const OUTER_BLANKS = new RegExp(`^(?:${BLANK.source})+|(?:${BLANK.source})+$`, 'gu');

/** True for the cells that a sign stands for. */
export function isSign(cell: Cell): cell is null | '' {
  return cell === null || cell === '';
}

export function visibleCell(cell: Cell): string {
  if (cell === null) return NULL_SIGN;
  if (cell === '') return EMPTY_SIGN;
  return cell === NULL_SIGN || cell === EMPTY_SIGN ? JSON.stringify(cell) : visibleText(cell);
}

export function visibleText(text: string): string {
  if (BARE.test(text)) return text;
  return sanitizeLine(text.replaceAll('\n', '⏎').replaceAll('\t', '⇥'))
    .replace(OUTER_BLANKS, revealBlanks)
    .replace(LOOSE_SPACES, revealBlanks);
}

function revealBlanks(blanks: string): string {
  return blanks.replace(BLANK, (char) => (char === ' ' ? '·' : codePoint(char)));
}

/** The part of a visible text that differs: here blanks show, too, and a space that is alone. */
export function revealPart(text: string): string {
  if (/^ +$/.test(text)) return revealBlanks(text);
  return text.replace(BLANK, (char) => (char === ' ' ? char : codePoint(char)));
}

/** What leaves no trace between two letters: the above, joiners and variation selectors. */
const SHAPELESS = /\u034f|[\ufe00-\ufe0f]|[\u00ad\u200b-\u200d\u2060-\u2064\ufeff]/g;

/** Whether two different texts look the same: composed and decomposed letters, say. */
export function looksAlike(a: string, b: string): boolean {
  return shape(a) === shape(b);
}

function shape(text: string): string {
  return text
    .normalize('NFC')
    .replace(SHAPELESS, '')
    .replace(/\p{Zs}/gu, ' ');
}

/** The text with everything beyond ASCII as code points, for two that look the same. */
export function spellOut(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, codePoint);
}

function codePoint(char: string): string {
  const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `<U+${hex.padStart(4, '0')}>`;
}

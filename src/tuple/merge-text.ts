/**
 * The `text` rule: what each side changed of a text, put together. Lines first; where changes
 * of lines meet, the words of those lines. Changes that meet there too, and are not the same,
 * leave the cell undecided.
 */
import { diffIndices } from 'node-diff3';
import type { Cell } from './schema.ts';

interface Texts {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/** A line with its end; a word, white space, or one other character. */
const LINE = /[^\n]*\n|[^\n]+/g;
const WORD = /[\p{L}\p{N}_\p{M}]+|\s+|[\s\S]/gu;

/** Pairs of parts to compare beyond which a text is left to a person. */
const MOST_PAIRS = 4_000_000;

/** undefined: the changes overlap, or a side removed the text. */
export function mergeText(cells: {
  readonly base: Cell;
  readonly ours: Cell;
  readonly theirs: Cell;
}): string | undefined {
  const { base, ours, theirs } = cells;
  if (ours === null || theirs === null) return undefined;
  const texts = { base: base ?? '', ours, theirs };
  return mergeParts(texts, LINE, (lines) => mergeParts(lines, WORD, () => undefined));
}

function mergeParts(
  { base, ours, theirs }: Texts,
  pattern: RegExp,
  settle: (clash: Texts) => string | undefined,
): string | undefined {
  const parts = base.match(pattern) ?? [];
  const a = findChanges(parts, ours.match(pattern) ?? []);
  const b = findChanges(parts, theirs.match(pattern) ?? []);
  if (a === undefined || b === undefined) return undefined;
  const merged: string[] = [];
  let at = 0;
  for (const group of meetings(a, b)) {
    const { start, end } = group;
    const under = (changes: readonly Change[]) => applyChanges(parts, start, end, changes);
    const clash = {
      base: parts.slice(start, end).join(''),
      ours: under(group.ours),
      theirs: under(group.theirs),
    };
    const settled = takeChanged(clash) ?? settle(clash);
    if (settled === undefined) return undefined;
    merged.push(parts.slice(at, start).join(''), settled);
    at = end;
  }
  return merged.join('') + parts.slice(at).join('');
}

/** The side that changed it, or what both made of it. */
function takeChanged({ base, ours, theirs }: Texts): string | undefined {
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}

/** Parts [start, end) of base became `text`. */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** undefined: too much to compare. */
function findChanges(base: readonly string[], side: readonly string[]): Change[] | undefined {
  const shorter = Math.min(base.length, side.length);
  let start = 0;
  let end = 0;
  while (start < shorter && base[start] === side[start]) start += 1;
  while (end < shorter - start && base.at(-1 - end) === side.at(-1 - end)) end += 1;
  const [a, b] = [base.slice(start, base.length - end), side.slice(start, side.length - end)];
  if (a.length * b.length > MOST_PAIRS) return undefined;
  return diffIndices(a, b).map(({ buffer1: [offset, length], buffer2Content }) => ({
    start: start + offset,
    end: start + offset + length,
    text: buffer2Content.join(''),
  }));
}

/** Changes of either side that touch each other, and the parts of base they are about. */
interface Meeting {
  readonly start: number;
  end: number;
  readonly ours: Change[];
  readonly theirs: Change[];
}

function meetings(ours: readonly Change[], theirs: readonly Change[]): Meeting[] {
  const found: Meeting[] = [];
  let [i, j] = [0, 0];
  while (i < ours.length || j < theirs.length) {
    const mine = j === theirs.length || (i < ours.length && ours[i].start <= theirs[j].start);
    const change = mine ? ours[i++] : theirs[j++];
    let last = found.at(-1);
    if (last === undefined || change.start > last.end) {
      last = { start: change.start, end: change.end, ours: [], theirs: [] };
      found.push(last);
    }
    last.end = Math.max(last.end, change.end);
    (mine ? last.ours : last.theirs).push(change);
  }
  return found;
}

/** Parts [start, end) of base as a side has them. */
function applyChanges(
  base: readonly string[],
  start: number,
  end: number,
  changes: readonly Change[],
): string {
  const texts: string[] = [];
  let at = start;
  for (const change of changes) {
    texts.push(base.slice(at, change.start).join(''), change.text);
    at = change.end;
  }
  return texts.join('') + base.slice(at, end).join('');
}

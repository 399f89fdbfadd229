/**
 * Which words of two texts differ. The texts are cut into words, numbers and single other
 * characters; Myers' greedy algorithm (An O(ND) Difference Algorithm, 1986) pairs them.
 * Texts that share little are left whole: marking almost everything helps nobody.
 */

/** A stretch of one side. An empty changed one marks where the other side has more. */
export interface Segment {
  readonly text: string;
  readonly changed: boolean;
}

export interface WordDiff {
  readonly from: readonly Segment[];
  readonly to: readonly Segment[];
}

/** Stand-ins, flags, emoji sequences, East Asian characters one by one, words, anything else. */
const TOKEN =
  /<(?:U\+[0-9A-F]{4,6}|[0-9a-f]{2})>|\p{RI}\p{RI}|\p{Extended_Pictographic}[\p{M}\p{EMod}]*(?:\u200d\p{Extended_Pictographic}[\p{M}\p{EMod}]*)*|[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}]\p{M}*|(?:(?![\p{sc=Han}\p{sc=Hira}\p{sc=Kana}])[\p{L}\p{N}_]\p{M}*)+|[\s\S]\p{M}*/gu;

/** Insertions and deletions of tokens beyond which two texts count as different. */
const MOST_EDITS = 200;
/** Share of the longer text that must be common for its words to be compared. */
const LEAST_COMMON = 0.3;
/** Texts longer than this are compared by character at their ends. */
const LONG_TEXT = 24;
/** Texts longer than this together are not cut into words. */
const LONGEST_TEXTS = 400_000;

export function diffWords(from: string, to: string): WordDiff {
  const long = from.length + to.length > LONGEST_TEXTS;
  const diff = long ? undefined : diffTokens(from.match(TOKEN) ?? [], to.match(TOKEN) ?? []);
  const enough = LEAST_COMMON * Math.max(from.length, to.length);
  return diff && commonLength(diff) >= enough ? diff : diffEnds(from, to);
}

function diffTokens(a: readonly string[], b: readonly string[]): WordDiff | undefined {
  const pairs = commonTokens(a, b);
  return pairs && joinSegments(a, b, pairs);
}

function commonLength({ from }: WordDiff): number {
  let length = 0;
  for (const { text, changed } of from) if (!changed) length += text.trim().length;
  return length;
}

/** A long text, such as one of base64, as its common beginning, the rest and common end. */
function diffEnds(from: string, to: string): WordDiff {
  const shorter = Math.min(from.length, to.length);
  let start = 0;
  let end = 0;
  if (shorter > LONG_TEXT) {
    while (start < shorter && from[start] === to[start]) start += 1;
    while (end < shorter - start && from.at(-1 - end) === to.at(-1 - end)) end += 1;
    if (isInsideCharacter(from, start)) start -= 1;
    if (isInsideCharacter(from, from.length - end)) end -= 1;
  }
  if (start + end < LEAST_COMMON * Math.max(from.length, to.length)) {
    return { from: [{ text: from, changed: true }], to: [{ text: to, changed: true }] };
  }
  const cut = (text: string): Segment[] =>
    [
      { text: text.slice(0, start), changed: false },
      { text: text.slice(start, text.length - end), changed: true },
      { text: text.slice(text.length - end), changed: false },
    ].filter((segment) => segment.changed || segment.text !== '');
  return { from: cut(from), to: cut(to) };
}

/** Between the halves of a surrogate pair, or before a combining mark. */
function isInsideCharacter(text: string, at: number): boolean {
  return at > 0 && /^(?:[\udc00-\udfff]|\p{M})/u.test(text.slice(at, at + 2));
}

/** Indices of the tokens that stay, pairwise ascending; undefined: too many differ. */
function commonTokens(a: readonly string[], b: readonly string[]): [number, number][] | undefined {
  const trace: Int32Array[] = [];
  const span = 2 * MOST_EDITS + 3;
  const reach = new Int32Array(span);
  const middle = MOST_EDITS + 1;
  for (let edits = 0; edits <= MOST_EDITS; edits++) {
    trace.push(reach.slice(middle - edits - 1, middle + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const k = middle + diagonal;
      const down = diagonal === -edits || (diagonal < edits && reach[k - 1] < reach[k + 1]);
      let x = down ? reach[k + 1] : reach[k - 1] + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      reach[k] = x;
      if (x >= a.length && x - diagonal >= b.length) return backtrack(trace, a.length, b.length);
    }
  }
  return undefined;
}

function backtrack(trace: readonly Int32Array[], n: number, m: number): [number, number][] {
  const pairs: [number, number][] = [];
  let x = n;
  let y = m;
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits];
    const at = (diagonal: number) => reach[diagonal + edits + 1];
    const diagonal = x - y;
    const down = diagonal === -edits || (diagonal < edits && at(diagonal - 1) < at(diagonal + 1));
    const before = down ? diagonal + 1 : diagonal - 1;
    const startX = edits === 0 ? 0 : at(before);
    const startY = edits === 0 ? 0 : startX - before;
    while (x > startX && y > startY) pairs.push([--x, --y]);
    [x, y] = [startX, startY];
  }
  return pairs.reverse();
}

/** A common stretch and the change behind it. */
interface Block {
  common: string;
  removed: string;
  added: string;
}

function joinSegments(
  a: readonly string[],
  b: readonly string[],
  pairs: readonly (readonly [number, number])[],
): WordDiff {
  const blocks: Block[] = [{ common: '', removed: '', added: '' }];
  let x = 0;
  let y = 0;
  for (const [nextX, nextY] of [...pairs, [a.length, b.length] as const]) {
    const block = blocks[blocks.length - 1];
    block.removed += a.slice(x, nextX).join('');
    block.added += b.slice(y, nextY).join('');
    if (nextX === a.length && nextY === b.length) break;
    if (block.removed === '' && block.added === '') block.common += a[nextX];
    else blocks.push({ common: a[nextX], removed: '', added: '' });
    [x, y] = [nextX + 1, nextY + 1];
  }
  const joined = joinThin(blocks);
  return {
    from: joined.flatMap(({ common, removed, added }) => segments(common, removed, added)),
    to: joined.flatMap(({ common, removed, added }) => segments(common, added, removed)),
  };
}

/** A blank between two changes is not worth a pause: they become one. */
function joinThin(blocks: readonly Block[]): Block[] {
  const joined: Block[] = [];
  for (const block of blocks) {
    const last = joined.at(-1);
    const changes = block.removed !== '' || block.added !== '';
    if (last && changes && /^[ ·]$/.test(block.common)) {
      last.removed += block.common + block.removed;
      last.added += block.common + block.added;
    } else joined.push(block);
  }
  return joined;
}

function segments(common: string, own: string, other: string): Segment[] {
  const list: Segment[] = [];
  if (common !== '') list.push({ text: common, changed: false });
  if (own !== '' || other !== '') list.push({ text: own, changed: true });
  return list;
}

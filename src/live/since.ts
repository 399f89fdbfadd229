/**
 * Where in a feed a watcher begins:
 *
 *   <epoch>.<sequence>   a cursor
 *   commit:<hash>        behind the last change that moved a ref to this commit
 *   time:<ms>            at the first change of that time or later, ms since the epoch
 */
import { DvError } from '../errors.ts';
import { isHash } from '../hash.ts';
import { type Cursor, parseCursor } from '../model/cursor.ts';
import type { RefStore } from '../store/contract.ts';

const PAGE = 1000;

/** @throws DvError `bad-cursor` */
export async function resolveSince(store: RefStore, epoch: string, since: string): Promise<Cursor> {
  const [, kind, value] = /^(commit|time):(.*)$/s.exec(since) ?? [];
  if (kind === undefined) return parseCursor(since);
  const sequence =
    kind === 'time' ? await sequenceAt(store, value) : await sequenceOf(store, value);
  return { epoch, sequence };
}

/** The last sequence before `time`. Times grow with sequences, but for clocks set back. */
async function sequenceAt(store: RefStore, text: string): Promise<number> {
  if (!/^\d{1,15}$/.test(text)) throw badSince(`time:${text}`, 'a time is ms since the epoch');
  const time = Number(text);
  const { first, last } = await store.readFeed(Number.MAX_SAFE_INTEGER, 1);
  let [low, high] = [Math.max(0, first - 1), last];
  while (low < high) {
    const middle = (low + high) >> 1;
    const [entry] = (await store.readFeed(middle, 1)).entries;
    if (entry === undefined || entry.time >= time) high = middle;
    else low = Math.max(middle + 1, entry.sequence);
  }
  return low;
}

/** Cost: the feed. */
async function sequenceOf(store: RefStore, hash: string): Promise<number> {
  if (!isHash(hash)) throw badSince(`commit:${hash}`, 'a commit is 64 hex digits');
  let found: number | undefined;
  for (let after = 0; ; ) {
    const { entries } = await store.readFeed(after, PAGE);
    for (const { sequence, new: to } of entries) if (to === hash) found = sequence;
    if (entries.length < PAGE) break;
    after = entries[entries.length - 1].sequence;
  }
  if (found !== undefined) return found;
  throw new DvError('bad-cursor', `the feed does not tell of a ref at commit ${hash}`, {
    hint: '--since takes a cursor or a time, too; dv log shows what came before',
    data: { commit: hash },
  });
}

function badSince(since: string, hint: string): DvError {
  return new DvError('bad-cursor', `'${since.slice(0, 80)}' is no beginning of a feed`, { hint });
}

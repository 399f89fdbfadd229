/**
 * Which state of a repository a reader means: `at` (a revision; default the branch of HEAD),
 * and `min-seq` (a feed cursor that the reader has seen: the answer is no older). What one
 * store answers is linearizable, so `consistent=1` asks for what is there anyway.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { feedEpoch, parseCursor } from '../model/cursor.ts';
import { readCommit } from '../model/object-reader.ts';
import { resolveRevision } from '../model/revision.ts';
import type { Served, ServerContext } from './contract.ts';
import type { Query } from './query.ts';

export const STATE_PARAMETERS = ['at', 'min-seq', 'consistent'];
const LONGEST_WAIT_MS = 10_000;

/** The commit that a revision names. @throws DvError `bad-revision`, `ambiguous-hash`, ... */
export function commitAt({ repository }: Served, revision: string): Promise<Hash> {
  return resolveRevision(repository.store, revision, parseTime);
}

/** ISO 8601. */
function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.test(text)) {
    return undefined;
  }
  const time = Date.parse(
    /T/.test(text) && !/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? `${text}Z` : text,
  );
  return Number.isNaN(time) ? undefined : time;
}

export interface ReadState {
  readonly commit: Hash;
  readonly root: Hash;
}

/** @throws DvError also `bad-cursor`, `unavailable` when what `min-seq` asks for does not come */
export async function stateOf(
  served: Served,
  query: Query,
  context: ServerContext,
  revision = query.text('at') ?? 'HEAD',
): Promise<ReadState> {
  query.flag('consistent');
  const cursor = query.text('min-seq');
  if (cursor !== undefined) await waitFor(served, cursor, context);
  const commit = await commitAt(served, revision);
  return { commit, root: (await readCommit(served.repository.store, commit)).root };
}

async function waitFor(
  { repository }: Served,
  text: string,
  { environment, stopping }: ServerContext,
): Promise<void> {
  const { epoch, sequence } = parseCursor(text);
  const { store } = repository;
  if (epoch !== (await feedEpoch(store, environment.randomId))) {
    throw new DvError('bad-cursor', `'${text}' is no cursor of this repository`, {
      hint: 'min-seq takes the cursor of an answer from here',
    });
  }
  if (sequence === 0) return;
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(LONGEST_WAIT_MS)]);
  await store.waitForFeed(sequence - 1, signal);
  const { last } = await store.readFeed(sequence, 1);
  if (last >= sequence) return;
  throw new DvError('unavailable', `this server has not come to ${text} yet`, {
    hint: 'try again in a moment',
  });
}

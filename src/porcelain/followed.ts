/**
 * A feed whose events are told only when what follows the remote has gone along. Those that
 * wait together go along in one transaction, unless whoever is told looks at the ref.
 */
import type { Hash } from '../hash.ts';
import type { FeedEvent, FeedSource, WatchOptions } from '../live/contract.ts';
import { gatherEvents } from '../live/gather.ts';
import type { RemoteFollower } from './follow-remote.ts';

/**
 * Events that go together: each brings a pack with what its `new` has and its `old` has not,
 * and goes on from where the one before left its ref.
 */
function runsOf(events: readonly FeedEvent[]): FeedEvent[][] {
  const runs: FeedEvent[][] = [];
  let reached: Map<string, Hash> | undefined;
  for (const event of events) {
    const isPacked = event.type === 'commit' && event.pack !== undefined;
    const goesOn = isPacked && (reached?.get(event.ref) ?? event.old) === event.old;
    if (goesOn && reached !== undefined) runs.at(-1)?.push(event);
    else {
      runs.push([event]);
      reached = isPacked ? new Map() : undefined;
    }
    if (isPacked) reached?.set(event.ref, event.new);
  }
  return runs;
}

export interface FollowedOptions {
  /** Told when a ref has moved. */
  readonly moved: () => void;
  /** While an event is told, its ref is at its commit: no event goes along before its turn. */
  readonly oneByOne: boolean;
}

export function followed(
  source: FeedSource,
  follower: RemoteFollower,
  { moved, oneByOne }: FollowedOptions,
): FeedSource {
  const take = async (events: readonly FeedEvent[]): Promise<void> => {
    if (await follower.take(events)) moved();
  };
  return {
    url: source.url,
    async *events(options: WatchOptions) {
      for await (const waiting of gatherEvents(source, options)) {
        const runs = oneByOne ? waiting.map((event) => [event]) : runsOf(waiting);
        for (const run of runs) yield* tellRun(run, take);
      }
    },
    changes: (from, to, options) => source.changes(from, to, options),
    commitsBetween: (from, to, options) => source.commitsBetween(from, to, options),
    close: () => source.close(),
  };
}

/** What one event fails with holds up no event before it: then each goes by itself. */
async function* tellRun(
  run: readonly FeedEvent[],
  take: (events: readonly FeedEvent[]) => Promise<void>,
): AsyncGenerator<FeedEvent> {
  const isWhole = await take(run).then(
    () => true,
    (error: unknown) => {
      if (run.length === 1) throw error;
      return false;
    },
  );
  for (const event of run) {
    if (!isWhole) await take([event]);
    yield event;
  }
}

/**
 * A cursor over a source. Where every commit is wanted, an event that stands for several
 * (a push of many, a conflated one) becomes as many events, each behind its parents.
 *
 *   1. Each output comes with the position behind it. Whoever keeps the position of the last
 *      output that succeeded, and begins there, gets each commit of a ref once.
 *   2. A source may tell something again after a cut (conflated events share a cursor). What
 *      the position says is output is passed over (told-before.ts).
 *   3. A ref that begins is one event: its history is older than the ref.
 *   4. After a `reset`, refs that this follower knows go on from where it left them.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type {
  CommitEvent,
  CommitInRange,
  FeedEvent,
  FeedSource,
  ResetEvent,
  WatchOptions,
} from './contract.ts';
import { type FollowPosition, FROM_NOW, type OutputOfRef } from './follow-position.ts';
import { ToldBefore } from './told-before.ts';

export interface FollowOptions extends Omit<WatchOptions, 'since'> {
  readonly from?: FollowPosition;
  /** An event per commit, not per change of a ref. */
  readonly everyCommit?: boolean;
}

export interface Followed {
  readonly event: FeedEvent;
  /** Where to begin again when this was output. */
  readonly position: FollowPosition;
}

/** For ever, until the signal aborts. Takes the next event when the next output is asked for. */
export async function* follow(
  source: FeedSource,
  { from = FROM_NOW, ...options }: FollowOptions,
): AsyncGenerator<Followed> {
  const follower = new Follower(source, from, options);
  for await (const event of source.events({ ...options, since: from.cursor })) {
    yield* follower.take(event);
  }
}

class Follower {
  private readonly source: FeedSource;
  private readonly options: Omit<FollowOptions, 'from'>;
  private readonly before: ToldBefore;
  private cursor: string | undefined;
  /** Output since, of what the cursor is not behind. */
  private readonly done = new Map<string, OutputOfRef>();
  /** What the refs were at, as far as told. */
  private readonly heads = new Map<string, Hash>();

  constructor(source: FeedSource, from: FollowPosition, options: Omit<FollowOptions, 'from'>) {
    this.source = source;
    this.options = options;
    this.before = new ToldBefore(source, from.done);
    this.cursor = from.cursor;
  }

  async *take(event: FeedEvent): AsyncGenerator<Followed> {
    // The cursor that several share is behind what came before the first of them.
    if ('more' in event && event.more && event.id !== this.cursor) this.advance(event.id);
    if (event.type === 'bookmark') {
      // Everything up to here has come: nothing is told again that came before.
      this.before.clear();
      yield this.moved(event, event.id);
    } else if (event.type === 'reset') {
      yield this.moved(event, this.cursor ?? event.id);
      yield* this.afterReset(event);
    } else if (event.type === 'ref-deleted') {
      this.heads.delete(event.ref);
      this.done.delete(event.ref);
      this.before.forget(event.ref);
      if (event.more === true) yield { event, position: this.position() };
      else yield this.moved(event, event.id);
    } else {
      yield* this.takeCommit(event);
    }
  }

  private async *takeCommit(event: CommitEvent): AsyncGenerator<Followed> {
    this.heads.set(event.ref, event.new);
    const known = await this.before.commitsOf(event);
    let last: CommitEvent | undefined;
    for await (const commit of this.expand(event)) {
      if (known.has(commit.new)) continue;
      if (last !== undefined) yield this.passed(last, { commit: last.new, of: event.new });
      last = commit;
    }
    this.before.passed(event);
    if (last === undefined) return;
    if (event.more !== true) yield this.moved(last, event.id);
    else yield this.passed(last, { commit: event.new, of: event.new });
  }

  /** The commits of an event; the event itself where there is nothing to tell apart. */
  private async *expand(event: CommitEvent): AsyncGenerator<CommitEvent> {
    const { old, parents, skipped } = event;
    const isOne = skipped === 0 && parents.length === 1 && parents[0] === old;
    const { tables = [], counts = false, everyCommit } = this.options;
    if (!everyCommit || isOne || old === null || old === event.new) {
      yield event;
      return;
    }
    let commits = 0;
    try {
      const wanted = { counts: counts || tables.length > 0 };
      for await (const commit of this.source.commitsBetween(old, event.new, wanted)) {
        commits += 1;
        if (touches(commit, tables)) yield eventOf(event, commit);
      }
    } catch (error) {
      // The old head was thrown away since: what came in between cannot be told.
      if (!(error instanceof DvError) || error.code !== 'missing-object') throw error;
    }
    if (commits === 0) yield event;
  }

  private async *afterReset(reset: ResetEvent): AsyncGenerator<Followed> {
    const now = new Map(reset.heads.map(({ ref, hash }) => [ref, hash]));
    this.done.clear();
    this.before.clear();
    for (const [ref, old] of [...this.heads]) {
      const hash = now.get(ref);
      if (hash === old) continue;
      const event = await this.changeOf(ref, old, hash, reset.id);
      if (event !== undefined) yield* this.take(event);
    }
    this.heads.clear();
    for (const [ref, hash] of now) this.heads.set(ref, hash);
    this.cursor = reset.id;
    this.done.clear();
  }

  /** A change that no event told of. */
  private async changeOf(
    ref: string,
    old: Hash,
    hash: Hash | undefined,
    id: string,
  ): Promise<FeedEvent | undefined> {
    const told = { id, ref, old, actor: '', time: 0 };
    if (hash === undefined) return { ...told, type: 'ref-deleted' };
    let newest: CommitInRange | undefined;
    let commits = 0;
    for await (const commit of this.source.commitsBetween(old, hash)) {
      newest = commit;
      commits += 1;
    }
    if (newest === undefined) return undefined;
    const { hash: to, parent: _, tables: __, ...facts } = newest;
    const time = facts.committed;
    return { ...told, ...facts, type: 'commit', new: to, time, skipped: commits - 1 };
  }

  /** Output, while the cursor stays: more belongs to it. */
  private passed(event: CommitEvent, output: OutputOfRef): Followed {
    this.done.set(event.ref, output);
    return { event, position: this.position() };
  }

  private advance(cursor: string): void {
    this.cursor = cursor;
    this.done.clear();
    this.before.forgetPassed();
  }

  private moved(event: FeedEvent, cursor: string): Followed {
    this.advance(cursor);
    return { event, position: this.position() };
  }

  private position(): FollowPosition {
    return { cursor: this.cursor, done: new Map([...this.before.done, ...this.done]) };
  }
}

function touches({ tables }: CommitInRange, wanted: readonly string[]): boolean {
  if (wanted.length === 0 || tables === undefined) return true;
  return tables.some(({ table }) => wanted.includes(table));
}

function eventOf(event: CommitEvent, commit: CommitInRange): CommitEvent {
  const { pack: _, tables: __, more: ___, ...told } = event;
  const { hash, parent, ...facts } = commit;
  return { ...told, ...facts, old: parent, new: hash, skipped: 0 };
}

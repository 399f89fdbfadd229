/**
 * The live half of dv, as types: events of a feed, what a follower reads from, and rows
 * written to a branch without a working file. Cells are exact text or null, as everywhere.
 *
 *   hub.ts       one store's feed to many watchers        follower.ts   a cursor over a source
 *   writer.ts    row writes into commits, grouped         ingest.ts     streams into writes
 *
 * A cursor is `<epoch>.<sequence>`: the feed's epoch, and the last sequence seen. The feed is
 * a hint, refs are the truth: a follower that missed something reads the refs' history.
 */
import type { Hash } from '../hash.ts';
import type { TableDiff } from '../model/change.ts';
import type { Clock } from '../model/objects.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import type { Cell, ColumnType } from '../tuple/schema.ts';

export interface TableRowCounts {
  readonly table: string;
  readonly added: number;
  readonly removed: number;
  readonly modified: number;
}

/** One ref change that leaves the ref at a commit. */
export interface CommitEvent {
  readonly type: 'commit';
  /** The cursor behind this event. */
  readonly id: string;
  readonly ref: string;
  readonly old: Hash | null;
  readonly new: Hash;
  readonly actor: string;
  /** When the ref moved, ms since the epoch. */
  readonly time: number;
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  /** When the commit was made, ms since the epoch. */
  readonly committed: number;
  readonly parents: readonly Hash[];
  readonly generation: number;
  readonly clock: Clock;
  /** From `old` to `new`; left out where counting was not asked for or too dear. */
  readonly tables?: readonly TableRowCounts[];
  /** How many changes of this ref were passed over since the one told before (conflation). */
  readonly skipped: number;
  /** Other events share this cursor and follow: only the last of them has all behind it. */
  readonly more?: boolean;
  /** From a stream of frames: what `new` reaches and `old` does not, as a pack. Never in JSON. */
  readonly pack?: Uint8Array;
}

export interface RefDeletedEvent {
  readonly type: 'ref-deleted';
  readonly id: string;
  readonly ref: string;
  readonly old: Hash;
  readonly actor: string;
  readonly time: number;
  readonly more?: boolean;
}

/** Nothing new up to here: the cursor moves on without an event of the watched refs. */
export interface BookmarkEvent {
  readonly type: 'bookmark';
  readonly id: string;
  /** The sender's hybrid logical clock. */
  readonly clock: Clock;
}

/** The cursor cannot be resumed (other epoch, history gone): here are the heads; go on from `id`. */
export interface ResetEvent {
  readonly type: 'reset';
  readonly id: string;
  readonly heads: readonly { readonly ref: string; readonly hash: Hash }[];
}

export type FeedEvent = CommitEvent | RefDeletedEvent | BookmarkEvent | ResetEvent;

export interface WatchOptions {
  /** Globs over full ref names or branch names (`main`, `release/*`); none: every branch and tag. */
  readonly patterns?: readonly string[];
  /** Only commits that changed one of these tables. */
  readonly tables?: readonly string[];
  /**
   * A cursor, or `commit:<hash>` (behind the change that brought a ref there) or `time:<ms>`.
   * undefined: from now on, after one `bookmark`.
   */
  readonly since?: string;
  /** Whether to count rows per table. */
  readonly counts?: boolean;
  readonly signal: AbortSignal;
}

/** One commit of a range. `parent` is its first; null: it has none. */
export interface CommitInRange
  extends Pick<
    CommitEvent,
    'message' | 'author' | 'committed' | 'parents' | 'generation' | 'clock'
  > {
  readonly hash: Hash;
  readonly parent: Hash | null;
  /** Against the first parent, where asked for and not too dear. */
  readonly tables?: readonly TableRowCounts[];
}

/** A feed to follow: a repository of this machine, or a server. */
export interface FeedSource {
  readonly url: string;
  /**
   * Events in order, for ever, until the signal aborts. Reconnects by itself; after a cut it
   * goes on behind the last event that was taken. Throws what cannot be mended by trying.
   */
  events(options: WatchOptions): AsyncIterable<FeedEvent>;
  /** Tables that differ between two commits (null: nothing), with full rows on both sides. */
  changes(
    from: Hash | null,
    to: Hash,
    options?: { readonly tables?: readonly string[]; readonly where?: string },
  ): AsyncIterable<TableDiff>;
  /** The commits that `to` has and `from` has not, each behind its parents. */
  commitsBetween(
    from: Hash | null,
    to: Hash,
    options?: { readonly counts?: boolean },
  ): AsyncIterable<CommitInRange>;
  close(): Promise<void>;
}

// Writing

export type RowWrite =
  /** The whole row; columns not named are null. */
  | { readonly op: 'upsert'; readonly cells: Readonly<Record<string, Cell>> }
  /** Only these columns of a row that is there, named by its key among them. */
  | { readonly op: 'patch'; readonly cells: Readonly<Record<string, Cell>> }
  /** At least the key's columns. A row that is not there is no error. */
  | { readonly op: 'delete'; readonly cells: Readonly<Record<string, Cell>> };

/** Next offset by partition of a source, as kept in a commit's `source` map, by source name. */
export type SourceOffsets = Readonly<Record<string, string>>;

/** Rows as cells in bytes, for streams: no object and no string a row. */
export interface WriteBatch {
  /** Name by batch column; undefined: no column of the table, such as a field that says the op. */
  readonly columns: readonly (string | undefined)[];
  /** Unchanged until `write` has answered. */
  readonly rows: RowBatch;
  /** By row: 1 is a delete, of which only the key's cells count; else an upsert. */
  readonly deletes?: Uint8Array;
}

export interface TableWrites {
  readonly table: string;
  /** In order: of several writes of one key the last one stays. */
  readonly writes: readonly RowWrite[];
  /** In their stead, in order likewise. */
  readonly batch?: WriteBatch;
  /** For a table that is not there yet: its key. Default: as `dv add` would choose. */
  readonly key?: readonly string[];
  /** Types by column of a new table, or of columns to add; the rest are inferred. */
  readonly types?: Readonly<Record<string, ColumnType>>;
}

export interface WriteRequest {
  readonly branch: string;
  readonly tables: readonly TableWrites[];
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Whom the feed names; default: the author. */
  readonly actor?: string;
  /**
   * The commit the caller's rows come from. When the branch has moved on, the writes are
   * merged by cell from there. Undefined: they apply to whatever is there.
   */
  readonly base?: Hash;
  /** The branch must be at `base`, or the write is refused. */
  readonly exact?: boolean;
  /** A cell that does not fit its column: widen the column, or refuse the request. */
  readonly drift?: 'widen' | 'refuse';
  /** Names the request: sent again, it is answered with the same commit and applied once. */
  readonly key?: string;
  /** Sets these offsets; refused `offsets-moved` unless the branch still has `expect`. */
  readonly source?: {
    readonly name: string;
    readonly offsets: SourceOffsets;
    readonly expect: SourceOffsets | null;
  };
}

export interface WriteResult {
  /** The commit that holds the writes; the branch's head when nothing changed. */
  readonly commit: Hash;
  readonly changed: boolean;
  readonly tables: readonly TableRowCounts[];
  /** Feed cursor from which on every reader of this server sees the commit. */
  readonly cursor: string;
  /** The repository's clock behind the write, where it is known and there is one. */
  readonly clock?: Clock;
}

/** Writes rows to branches of one store; requests that arrive together share one transaction. */
export interface RowWriter {
  /**
   * @throws DvError `conflicts-left` (data: base, ours, theirs of each), `ref-moved` (exact),
   * `offsets-moved`, `type-mismatch`, `null-key`, `unknown-column`, `unknown-ref`, ...
   */
  write(request: WriteRequest): Promise<WriteResult>;
  /** The offsets a branch holds for a source; null: none. Cost: commits since without any. */
  readOffsets(branch: string, source: string): Promise<SourceOffsets | null>;
  close(): Promise<void>;
}

/**
 * Records on their way in: where they come from, and what stands in for one that is no row.
 * A source hands on blocks of records as bytes, each with the position behind it; positions
 * of one partition only grow. What a commit keeps of them is the source's own: `offsetsAt`.
 */
import type { ErrorCode } from '../../errors.ts';
import type { SourceOffsets } from '../contract.ts';

/** Why a record is no row. */
export interface Flaw {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Records in order. Valid until the next block is asked for. */
export interface RecordBlock {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Record i is bytes[starts[i] .. ends[i]); a start of -1 is a null value, a tombstone. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Index of the partition, by record; undefined: all are of `partition`. */
  readonly partitions?: Int32Array;
  readonly partition: number;
  /** Position of each record, and the one behind it. */
  readonly positions: Float64Array;
  readonly behind: Float64Array;
  /** 1-based line, or the record's offset where there are no lines. */
  readonly lines: Float64Array;
  readonly keys?: readonly (Uint8Array | null)[];
  /** Value of a header of record i; undefined: none. */
  readonly header?: (record: number, name: string) => Uint8Array | undefined;
  /**
   * Partitions that go on at another position than the branch has, such as those of a topic
   * that was made anew. Only in the first block.
   */
  readonly restarts?: ReadonlyMap<number, number>;
  /** Records that the source itself could not take whole, such as endless lines. */
  readonly flaws?: ReadonlyMap<number, Flaw>;
}

/** How far a source has been read, by index of partition. */
export interface Positions {
  /** Positions behind the last record; -1: nothing of the partition was read. */
  readonly behind: readonly number[];
  readonly lines: readonly number[];
}

export interface RecordSource {
  /** Key in a commit's source map; undefined: what was read cannot be found again. */
  readonly name: string | undefined;
  /** For messages: a path, `standard input`, `topic 'orders'`. */
  readonly place: string;
  /** Names of partitions by index, for messages and dead letters. */
  partitionName(index: number): string;
  /**
   * Blocks behind `offsets` (null: from the beginning), until the source ends or the signal
   * aborts. @throws DvError when it cannot be read on from there
   */
  read(offsets: SourceOffsets | null, signal: AbortSignal): AsyncIterable<RecordBlock>;
  /** What a commit keeps of `positions`. */
  offsetsAt(positions: Positions): SourceOffsets;
  /** Positions that `offsets` stand for. @throws DvError `offsets-moved` when they fit nothing */
  positionsOf(offsets: SourceOffsets): readonly number[];
  /** What is still to be read, where the source knows. */
  lag?(positions: Positions): number | undefined;
  close(): Promise<void>;
}

/** A record as a dead letter keeps it. */
export interface DeadLetter extends Flaw {
  readonly source: string;
  readonly partition: string;
  readonly position: number;
  readonly line: number;
  readonly key: Uint8Array | null;
  /** null: the record is a tombstone. */
  readonly record: Uint8Array | null;
}

/** Where bad records go. What `put` took is durable once `flush` has resolved. */
export interface DeadLetters {
  put(letter: DeadLetter): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

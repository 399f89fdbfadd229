/**
 * Sorts any number of entries in bounded memory: fills an arena, sorts it, spills it to a
 * temporary file as a run, and merges the runs at the end. Entries with equal keys come
 * out next to each other in the order they went in.
 *
 * A run is a sequence of: u32 key length, u32 value length, key, value (little-endian).
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { radixOrder } from './radix-order.ts';

export interface SortedEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

const DEFAULT_ARENA = 64 * 1024 * 1024;
const READ_BYTES = 512 * 1024;
const BATCH = 1024;

/** Several sorters may share a directory. */
let runNumber = 0;

interface Run {
  readonly path: string;
  readonly bytes: number;
}

export class Sorter {
  private readonly directory: () => string;
  private arena = Buffer.alloc(0);
  private readonly arenaBytes: number;
  private used = 0;
  private count = 0;
  private starts = new Uint32Array(4096);
  private keyEnds = new Uint32Array(4096);
  private ends = new Uint32Array(4096);
  private readonly runs: Run[] = [];
  /** Entries added so far. */
  added = 0;

  /** `directory` is asked for when the first run is spilled; `close` removes the runs. */
  constructor(directory: () => string, arenaBytes = DEFAULT_ARENA) {
    this.directory = directory;
    this.arenaBytes = arenaBytes;
  }

  /** Adds an entry: key source[start..keyEnd), value source[keyEnd..end). */
  add(source: Uint8Array, start: number, keyEnd: number, end: number): void {
    const size = end - start;
    if (this.arena.length === 0) this.arena = Buffer.allocUnsafeSlow(this.arenaBytes);
    if (this.used + size > this.arena.length && this.count > 0) this.spill();
    if (this.count === this.starts.length) this.growIndex();
    this.arena.set(source.subarray(start, end), this.used);
    this.starts[this.count] = this.used;
    this.keyEnds[this.count] = this.used + keyEnd - start;
    this.ends[this.count] = this.used + size;
    this.used += size;
    this.count += 1;
    this.added += 1;
  }

  private growIndex(): void {
    const grow = (old: Uint32Array): Uint32Array<ArrayBuffer> => {
      const bigger = new Uint32Array(old.length * 2);
      bigger.set(old);
      return bigger;
    };
    this.starts = grow(this.starts);
    this.keyEnds = grow(this.keyEnds);
    this.ends = grow(this.ends);
  }

  private order(): Uint32Array {
    return radixOrder(this.arena, this.starts, this.keyEnds, this.count);
  }

  private spill(): void {
    const path = join(this.directory(), `run-${runNumber++}`);
    const file = openSync(path, 'wx');
    const out = Buffer.allocUnsafe(READ_BYTES);
    let bytes = 0;
    let at = 0;
    try {
      for (const i of this.order()) {
        const size = this.ends[i] - this.starts[i];
        if (at + 8 + size > out.length) {
          writeSync(file, out, 0, at);
          at = 0;
        }
        out.writeUInt32LE(this.keyEnds[i] - this.starts[i], at);
        out.writeUInt32LE(this.ends[i] - this.keyEnds[i], at + 4);
        this.arena.copy(out, at + 8, this.starts[i], this.ends[i]);
        at += 8 + size;
        bytes += 8 + size;
      }
      writeSync(file, out, 0, at);
    } finally {
      closeSync(file);
    }
    this.runs.push({ path, bytes });
    this.used = 0;
    this.count = 0;
  }

  /** All entries in key order, in batches. Entries stay valid. */
  *sorted(): Generator<SortedEntry[]> {
    const last = this.inMemory();
    if (this.runs.length === 0) yield* inBatches(last);
    else yield* inBatches(mergeRuns([...this.runs.map(readRun), last]));
  }

  private *inMemory(): Generator<SortedEntry> {
    for (const i of this.order()) {
      yield {
        key: this.arena.subarray(this.starts[i], this.keyEnds[i]),
        value: this.arena.subarray(this.keyEnds[i], this.ends[i]),
      };
    }
  }

  /** Removes the temporary files. */
  close(): void {
    for (const { path } of this.runs) rmSync(path, { force: true });
    this.runs.length = 0;
  }
}

function* inBatches(entries: Iterable<SortedEntry>): Generator<SortedEntry[]> {
  let batch: SortedEntry[] = [];
  for (const entry of entries) {
    batch.push(entry);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function* readRun(run: Run): Generator<SortedEntry> {
  const file = openSync(run.path, 'r');
  try {
    let rest = Buffer.alloc(0);
    for (let read = 0; read < run.bytes || rest.length > 0; ) {
      const size = rest.length < 8 ? 8 : 8 + rest.readUInt32LE(0) + rest.readUInt32LE(4);
      if (rest.length < size) {
        const block = Buffer.allocUnsafe(Math.max(READ_BYTES, size));
        rest.copy(block);
        const got = readSync(file, block, rest.length, block.length - rest.length, null);
        if (got === 0) throw new Error(`temporary file ${run.path} was cut short`);
        read += got;
        rest = block.subarray(0, rest.length + got);
        continue;
      }
      const keyEnd = 8 + rest.readUInt32LE(0);
      yield { key: rest.subarray(8, keyEnd), value: rest.subarray(keyEnd, size) };
      rest = rest.subarray(size);
    }
  } finally {
    closeSync(file);
  }
}

/** Merges sorted runs; of equal keys the earlier run's comes first. Linear in runs. */
function* mergeRuns(runs: Iterator<SortedEntry>[]): Generator<SortedEntry> {
  const heads = runs.map((run) => run.next());
  for (;;) {
    let best = -1;
    for (let i = 0; i < heads.length; i++) {
      if (heads[i].done) continue;
      if (best < 0 || Buffer.compare(heads[i].value.key, heads[best].value.key) < 0) best = i;
    }
    if (best < 0) return;
    yield heads[best].value;
    heads[best] = runs[best].next();
  }
}

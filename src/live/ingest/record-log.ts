/**
 * What is remembered of the records behind the rows of a batch: their bytes as they came (a
 * row's cells have been unescaped in place), and where each stands in its source. Entry i
 * belongs to row i.
 */
import { ByteWriter } from '../../bytes.ts';
import type { RecordBlock } from './record.ts';

export class RecordLog {
  count = 0;
  partitions = new Int32Array(1024);
  /** Position of the record, and the one to go on from once its row is in. */
  positions = new Float64Array(1024);
  behind = new Float64Array(1024);
  lines = new Float64Array(1024);
  readonly #bytes = new ByteWriter(64 * 1024);
  #ends = new Float64Array(1024);
  #keys: (Uint8Array | null)[] = [];
  #isNull: boolean[] = [];

  /** Bytes of all records. */
  get size(): number {
    return this.#bytes.length;
  }

  /** The record of the next row. `unfinished`: another row of the same record follows. */
  add(block: RecordBlock, i: number, unfinished = false): void {
    const at = this.count;
    if (at === this.partitions.length) this.#grow();
    this.partitions[at] = block.partitions?.[i] ?? block.partition;
    this.positions[at] = block.positions[i];
    this.behind[at] = unfinished ? block.positions[i] : block.behind[i];
    this.lines[at] = block.lines[i];
    const start = block.starts[i];
    this.#isNull[at] = start < 0;
    if (start >= 0) this.#bytes.raw(block.bytes, start, block.ends[i]);
    this.#ends[at] = this.#bytes.length;
    const key = block.keys?.[i];
    this.#keys[at] = key === undefined ? null : key;
    this.count += 1;
  }

  record(at: number): Uint8Array | null {
    if (this.#isNull[at]) return null;
    const start = at === 0 ? 0 : this.#ends[at - 1];
    return this.#bytes.bytes.subarray(start, this.#ends[at]);
  }

  key(at: number): Uint8Array | null {
    return this.#keys[at];
  }

  takeBack(): void {
    this.count -= 1;
    this.#bytes.length = this.count === 0 ? 0 : this.#ends[this.count - 1];
  }

  clear(): void {
    this.count = 0;
    this.#bytes.clear();
    this.#keys = [];
  }

  #grow(): void {
    const size = this.partitions.length * 2;
    this.partitions = grown(this.partitions, new Int32Array(size));
    this.positions = grown(this.positions, new Float64Array(size));
    this.behind = grown(this.behind, new Float64Array(size));
    this.lines = grown(this.lines, new Float64Array(size));
    this.#ends = grown(this.#ends, new Float64Array(size));
  }
}

function grown<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

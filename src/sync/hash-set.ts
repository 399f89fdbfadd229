/**
 * A set of hashes in 8 bytes each (open addressing, at most two thirds full): what a pack has
 * sent, what a transfer has brought. It keeps the first 64 bits, so of ten million hashes some
 * two are taken for equal with a chance of one in 300,000; the walk that this shortens then
 * lacks a chunk, which the receiver notices and asks for.
 */
import type { Hash } from '../hash.ts';

export class HashSet {
  private slots = new Uint32Array(2 * 64);
  private capacity = 64;
  size = 0;

  has(hash: Hash): boolean {
    const [high, low] = halves(hash);
    const { slots } = this;
    for (let at = this.first(low); ; at = (at + 1) % this.capacity) {
      if (slots[2 * at] === high && slots[2 * at + 1] === low) return true;
      if (slots[2 * at] === 0 && slots[2 * at + 1] === 0) return false;
    }
  }

  /** False when it was there. */
  add(hash: Hash): boolean {
    if (this.has(hash)) return false;
    if (3 * (this.size + 1) > 2 * this.capacity) this.grow();
    const [high, low] = halves(hash);
    this.place(high, low);
    this.size += 1;
    return true;
  }

  private first(low: number): number {
    return low % this.capacity;
  }

  private place(high: number, low: number): void {
    const { slots } = this;
    let at = this.first(low);
    while (slots[2 * at] !== 0 || slots[2 * at + 1] !== 0) at = (at + 1) % this.capacity;
    slots[2 * at] = high;
    slots[2 * at + 1] = low;
  }

  private grow(): void {
    const old = this.slots;
    this.capacity *= 2;
    this.slots = new Uint32Array(2 * this.capacity);
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== 0 || old[i + 1] !== 0) this.place(old[i], old[i + 1]);
    }
  }
}

/** The first 64 bits, never both zero: that is an empty slot. */
function halves(hash: Hash): [high: number, low: number] {
  const high = Number.parseInt(hash.slice(0, 8), 16);
  const low = Number.parseInt(hash.slice(8, 16), 16);
  return high === 0 && low === 0 ? [0, 1] : [high, low];
}

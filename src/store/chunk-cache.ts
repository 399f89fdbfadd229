/**
 * Raw chunks read lately, by the store's own number for them, at most `limit` bytes: the newer
 * half of that is certain to be there. A diff reads the old leaf, then the new one, whose delta
 * is mostly against the old; a series of commits reads the same upper nodes again and again.
 *
 * Two halves and no order among them: an exact order means a deletion for every hit, and a map
 * that is deleted from that often spends its time on making itself anew.
 */
export class ChunkCache {
  private readonly half: number;
  private newer = new Map<number, Uint8Array>();
  private older = new Map<number, Uint8Array>();
  /** Of the newer half, and of the older one. */
  private bytes = 0;
  private olderBytes = 0;

  constructor(limit: number) {
    this.half = limit / 2;
  }

  /** Bytes that it holds; of a chunk in both halves twice. */
  get size(): number {
    return this.bytes + this.olderBytes;
  }

  get(id: number): Uint8Array | undefined {
    const chunk = this.newer.get(id);
    if (chunk !== undefined) return chunk;
    const older = this.older.get(id);
    if (older !== undefined) this.set(id, older);
    return older;
  }

  /** A chunk of more than half the limit is not kept. */
  set(id: number, chunk: Uint8Array): void {
    if (chunk.length > this.half) return;
    const had = this.newer.get(id)?.length ?? 0;
    if (this.bytes - had + chunk.length > this.half) {
      this.older = this.newer;
      this.olderBytes = this.bytes;
      this.newer = new Map();
      this.bytes = 0;
    } else this.bytes -= had;
    this.newer.set(id, chunk);
    this.bytes += chunk.length;
  }

  clear(): void {
    this.newer = new Map();
    this.older = new Map();
    this.bytes = this.olderBytes = 0;
  }
}

/**
 * Raw chunks read lately, by the store's own number for them, at most `limit` bytes. A diff
 * reads the old leaf, then the new one, whose delta is mostly against the old; a series of
 * commits reads the same upper nodes again and again.
 */
export class ChunkCache {
  private readonly limit: number;
  private readonly chunks = new Map<number, Uint8Array>();
  private bytes = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get(id: number): Uint8Array | undefined {
    const chunk = this.chunks.get(id);
    if (chunk === undefined) return undefined;
    // a Map iterates in insertion order: last used goes to the end
    this.chunks.delete(id);
    this.chunks.set(id, chunk);
    return chunk;
  }

  set(id: number, chunk: Uint8Array): void {
    this.remove(id);
    this.chunks.set(id, chunk);
    this.bytes += chunk.length;
    for (const oldest of this.chunks.keys()) {
      if (this.bytes <= this.limit) break;
      this.remove(oldest);
    }
  }

  clear(): void {
    this.chunks.clear();
    this.bytes = 0;
  }

  private remove(id: number): void {
    const chunk = this.chunks.get(id);
    if (chunk === undefined) return;
    this.chunks.delete(id);
    this.bytes -= chunk.length;
  }
}

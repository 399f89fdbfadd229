/**
 * Raw chunks read lately, by the store's own number for them, at most `limit` bytes. A diff
 * reads the old leaf, then the new one, whose delta is mostly against the old; a series of
 * commits reads the same upper nodes again and again.
 *
 * The order of use is a ring of links. To delete from a map and set again at every hit keeps an
 * order as well, but such a map spends its time on making itself anew.
 */
interface Link {
  readonly id: number;
  readonly chunk: Uint8Array;
  /** Used before this one, and after it. */
  before: Link;
  after: Link;
}

export class ChunkCache {
  private readonly limit: number;
  private readonly links = new Map<number, Link>();
  /** Its `after` is the one used longest ago, its `before` the last one. */
  private readonly ends: Link;
  private bytes = 0;

  constructor(limit: number) {
    this.limit = limit;
    const ends = { id: -1, chunk: new Uint8Array(0) } as Link;
    ends.before = ends.after = ends;
    this.ends = ends;
  }

  get(id: number): Uint8Array | undefined {
    const link = this.links.get(id);
    if (link === undefined) return undefined;
    if (link.after !== this.ends) {
      unlink(link);
      this.append(link);
    }
    return link.chunk;
  }

  set(id: number, chunk: Uint8Array): void {
    this.remove(id);
    const link = { id, chunk } as Link;
    this.links.set(id, link);
    this.append(link);
    this.bytes += chunk.length;
    while (this.bytes > this.limit) this.remove(this.ends.after.id);
  }

  clear(): void {
    this.links.clear();
    this.ends.before = this.ends.after = this.ends;
    this.bytes = 0;
  }

  private append(link: Link): void {
    const { ends } = this;
    link.before = ends.before;
    link.after = ends;
    ends.before.after = link;
    ends.before = link;
  }

  private remove(id: number): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    unlink(link);
    this.links.delete(id);
    this.bytes -= link.chunk.length;
  }
}

function unlink({ before, after }: Link): void {
  before.after = after;
  after.before = before;
}

/**
 * Hashes met lately, a bounded number of them: the newer half is certain to be there. Versions
 * of a tree share nearly all their nodes, so a walk over a history meets the same ones again
 * and again.
 */
import type { Hash } from '../hash.ts';

export class RecentHashes {
  private readonly half: number;
  private newer = new Set<Hash>();
  private older = new Set<Hash>();

  /** `limit`: how many are kept at most; about 100 bytes each. */
  constructor(limit: number) {
    this.half = Math.max(1, Math.floor(limit / 2));
  }

  /** Whether the hash was met lately; from now on it was. */
  meet(hash: Hash): boolean {
    if (this.newer.has(hash)) return true;
    const known = this.older.has(hash);
    this.newer.add(hash);
    if (this.newer.size >= this.half) {
      this.older = this.newer;
      this.newer = new Set();
    }
    return known;
  }
}

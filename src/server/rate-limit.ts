/**
 * Token buckets: so many a second in the long run, `burst` at once. Bounded: of many callers
 * the ones seen longest ago are forgotten, which gives them a full bucket again.
 */

const MAX_BUCKETS = 10_000;

export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #monotonic: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** `monotonic` in seconds. `perSecond` 0: no limit. */
  constructor(perSecond: number, burst: number, monotonic: () => number) {
    this.#perSecond = perSecond;
    this.#burst = Math.max(1, burst);
    this.#monotonic = monotonic;
  }

  /** Seconds until the caller may go on; 0: now, and it has been counted. */
  take(key: string): number {
    if (this.#perSecond === 0) return 0;
    const bucket = this.#fill(key);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#perSecond;
    bucket.tokens--;
    return 0;
  }

  /** As `take` would answer, without counting. */
  wait(key: string): number {
    if (this.#perSecond === 0 || !this.#buckets.has(key)) return 0;
    const { tokens } = this.#fill(key);
    return tokens >= 1 ? 0 : (1 - tokens) / this.#perSecond;
  }

  #fill(key: string): { tokens: number; at: number } {
    const now = this.#monotonic();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, at: now };
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perSecond);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_BUCKETS) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    return bucket;
  }
}

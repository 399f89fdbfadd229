/**
 * Memory that requests share: each takes what it needs before it reads, and waits, in order,
 * while there is not enough. So many callers at once make the server slower, not larger.
 */

export class ByteBudget {
  #free: number;
  readonly #total: number;
  readonly #waiting: { readonly bytes: number; readonly take: () => void }[] = [];

  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  /** Resolves with a function that gives the bytes back; calling it twice is fine. */
  async take(wanted: number): Promise<() => void> {
    const bytes = Math.min(wanted, this.#total);
    if (this.#waiting.length > 0 || this.#free < bytes) {
      await new Promise<void>((take) => this.#waiting.push({ bytes, take }));
    } else {
      this.#free -= bytes;
    }
    let isHeld = true;
    return () => {
      if (isHeld) this.#giveBack(bytes);
      isHeld = false;
    };
  }

  #giveBack(bytes: number): void {
    this.#free += bytes;
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || next.bytes > this.#free) return;
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.take();
    }
  }
}

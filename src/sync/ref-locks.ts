/**
 * Turns by name, within this process: pushes that move one ref come one after the other, so
 * that they do not lose the compare-and-swap to one another. Other processes are not held
 * off: the swap itself decides.
 */
export class RefLocks {
  private readonly tails = new Map<string, Promise<void>>();

  /** Runs `work` while nobody else holds one of the names. */
  async with<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    let release = (): void => {};
    const turn = new Promise<void>((resolve) => {
      release = resolve;
    });
    const distinct = [...new Set(names)];
    const before = distinct.map((name) => this.tails.get(name));
    for (const name of distinct) this.tails.set(name, turn);
    try {
      await Promise.all(before);
      return await work();
    } finally {
      release();
      for (const name of distinct) if (this.tails.get(name) === turn) this.tails.delete(name);
    }
  }
}

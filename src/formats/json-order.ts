/**
 * In which order a file writes its members, from which name was seen directly behind which. A
 * column that only appears in the hundredth record may belong between the second and the third.
 *
 * Used by json-record.ts while reading and, through the dialect, by json-writer.ts.
 */

export class MemberOrder {
  /** For each column, those seen directly behind it. */
  readonly #followers: Set<number>[] = [];
  /** Some column was followed by one that had appeared before it. */
  #crossed = false;

  /** Column `next` stands behind column `previous`. */
  note(previous: number, next: number): void {
    while (this.#followers.length <= previous) this.#followers.push(new Set());
    this.#followers[previous].add(next);
    if (next < previous) this.#crossed = true;
  }

  /**
   * All columns, each behind those it was seen behind, otherwise in order of first appearance;
   * undefined where that is the order of first appearance, or where the file follows no order.
   */
  resolve(columns: number): number[] | undefined {
    if (!this.#crossed) return undefined;
    const waiting = new Int32Array(columns);
    for (const followers of this.#followers) for (const next of followers) waiting[next] += 1;
    const ready: number[] = [];
    for (let column = columns - 1; column >= 0; column--) {
      if (waiting[column] === 0) ready.push(column);
    }
    const order: number[] = [];
    for (let column = ready.pop(); column !== undefined; column = ready.pop()) {
      order.push(column);
      for (const next of this.#followers[column] ?? []) {
        waiting[next] -= 1;
        if (waiting[next] === 0) insertDescending(ready, next);
      }
    }
    return order.length === columns ? order : undefined;
  }
}

function insertDescending(list: number[], value: number): void {
  let at = list.length;
  while (at > 0 && list[at - 1] < value) at -= 1;
  list.splice(at, 0, value);
}

/**
 * A leaf column entry by entry: levels and, where it is there, the text. Pages come
 * asynchronously, `prepare` fetches enough of them for a number of rows; everything else is
 * synchronous.
 */

import type { Page } from './parquet-page.ts';
import type { Leaf } from './parquet-schema.ts';

/** Where pages come from: a ColumnChunkReader. */
export interface PageSource {
  next(): Promise<Page | undefined>;
}

export class LeafCursor {
  readonly leaf: Leaf;
  /** Levels of the entry at hand; -1 behind the last one. */
  rep = -1;
  def = -1;
  /** Text of the entry at hand, where def is the leaf's maximum. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  readonly #source: PageSource;
  readonly #queue: Page[] = [];
  #page: Page | undefined;
  #entry = 0;
  #value = 0;
  /** Rows that start in the pages at hand behind the entry at hand. */
  #rows = 0;
  #complete = false;

  constructor(leaf: Leaf, source: PageSource) {
    this.leaf = leaf;
    this.#source = source;
  }

  /** Fetches pages until `rows` whole rows are there, or all that remain. */
  async prepare(rows: number): Promise<void> {
    // Only the start of the next row shows that a repeated one is whole.
    const needed = rows + (this.leaf.maxRep > 0 ? 1 : 0) - (this.#page === undefined ? 0 : 1);
    while (this.#rows < needed && !this.#complete) {
      const page = await this.#source.next();
      if (page === undefined) {
        this.#complete = true;
      } else if (page.entries > 0) {
        this.#rows += page.rows;
        this.#queue.push(page);
      }
    }
    if (this.#page === undefined) this.#turn();
  }

  /** To the next entry. */
  next(): void {
    if (this.#page === undefined) return;
    if (this.def === this.leaf.maxDef) this.#value += 1;
    this.#entry += 1;
    if (this.#entry < this.#page.entries) this.#load(this.#page);
    else this.#turn();
  }

  #turn(): void {
    this.#page = this.#queue.shift();
    this.#entry = 0;
    this.#value = 0;
    if (this.#page !== undefined) {
      this.bytes = this.#page.values.bytes;
      this.#load(this.#page);
    } else {
      this.rep = -1;
      this.def = -1;
    }
  }

  #load(page: Page): void {
    const { maxDef } = this.leaf;
    this.rep = page.reps === undefined ? 0 : page.reps[this.#entry];
    this.def = page.defs === undefined ? maxDef : page.defs[this.#entry];
    if (this.rep === 0) this.#rows -= 1;
    if (this.def !== maxDef) return;
    const index = page.indexes === undefined ? this.#value : page.indexes[this.#value];
    this.start = page.values.ranges[2 * index];
    this.end = page.values.ranges[2 * index + 1];
  }
}

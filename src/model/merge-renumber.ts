/**
 * New keys for rows that both sides added under one: numbers behind the largest of either
 * side, in the order of the old keys. For tables whose key is a single integer.
 */
import type { Hash } from '../hash.ts';
import type { Edit } from '../prolly/edit.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { decodeKey, encodeKey } from '../tuple/key-codec.ts';
import type { Cell, Schema } from '../tuple/schema.ts';

const LARGEST = 2n ** 63n - 1n;

export interface NewKey {
  readonly from: readonly Cell[];
  readonly to: readonly Cell[];
}

export class KeyDispenser {
  readonly edits: (Edit & { readonly value: Uint8Array })[] = [];
  readonly renumbered: NewKey[] = [];
  #next: bigint;

  private constructor(next: bigint) {
    this.#next = next;
  }

  /** Undefined: the table's key is not a single integer. Cost: one path a tree. */
  static async open(
    nodes: NodeStore,
    schema: Schema,
    trees: readonly Hash[],
  ): Promise<KeyDispenser | undefined> {
    const types = schema.key.map((place) => schema.columns[place].type);
    if (types.length !== 1 || types[0] !== 'integer') return undefined;
    let largest = 0n;
    for (const tree of trees) {
      const { lastKey } = await nodes.read(tree);
      if (lastKey === undefined) continue;
      const number = BigInt(decodeKey(lastKey, types)[0]);
      if (number > largest) largest = number;
    }
    return new KeyDispenser(largest + 1n);
  }

  /** False when the numbers are used up. */
  give(from: readonly Cell[], value: Uint8Array): boolean {
    if (this.#next > LARGEST) return false;
    const to = [this.#next.toString()];
    this.#next += 1n;
    this.edits.push({ key: encodeKey(to, ['integer']), value });
    this.renumbered.push({ from, to });
    return true;
  }
}

/**
 * The children of some nodes of one level in order, told by their place from 0 on. Their
 * references are made only where somebody asks for them, as most are only compared. Places are
 * asked for in rising order, mostly: finding one costs nothing then.
 */
import type { Node, NodeRef } from './node.ts';
import type { Subtree } from './splice-builder.ts';

export class ChildRow {
  readonly length: number;
  readonly #nodes: readonly Node[];
  /** The place of each node's first child. */
  readonly #starts: number[] = [];
  readonly #lastPlace: number;
  /** The node that was asked about last. */
  #n = 0;

  /** `isLast`: the last node is the last one of its level in its tree. */
  constructor(nodes: readonly Node[], isLast: boolean) {
    this.#nodes = nodes;
    let length = 0;
    for (const { count } of nodes) {
      this.#starts.push(length);
      length += count;
    }
    this.length = length;
    this.#lastPlace = isLast ? length - 1 : -1;
  }

  /** May this subtree end without a boundary? */
  isLast(place: number): boolean {
    return place === this.#lastPlace;
  }

  #nodeAt(place: number): Node {
    while (place < this.#starts[this.#n]) this.#n -= 1;
    while (place >= this.#starts[this.#n] + this.#nodes[this.#n].count) this.#n += 1;
    return this.#nodes[this.#n];
  }

  /** Is the subtree at `place` the one at `otherPlace` of another row? */
  isSame(place: number, other: ChildRow, otherPlace: number): boolean {
    const node = this.#nodeAt(place);
    const otherNode = other.#nodeAt(otherPlace);
    const otherIndex = otherPlace - other.#starts[other.#n];
    return node.sameChild(place - this.#starts[this.#n], otherNode, otherIndex);
  }

  /** Compares the last keys of two subtrees. */
  compareEnds(place: number, other: ChildRow, otherPlace: number): number {
    const node = this.#nodeAt(place);
    const otherNode = other.#nodeAt(otherPlace);
    const otherIndex = otherPlace - other.#starts[other.#n];
    return node.compareKeyTo(place - this.#starts[this.#n], otherNode, otherIndex);
  }

  /** The subtrees from `start` to before `end`. */
  slice(start: number, end: number): Subtree[] {
    const found: Subtree[] = [];
    for (let place = start; place < end; place++) {
      const node = this.#nodeAt(place);
      found.push(new Child(node, place - this.#starts[this.#n], this.isLast(place)));
    }
    return found;
  }

  /** The same as stretches of children of a node, none of them a last one. */
  *stretches(
    start: number,
    end: number,
  ): Generator<{ readonly node: Node; readonly from: number; readonly to: number }> {
    for (let place = start; place < end; ) {
      const node = this.#nodeAt(place);
      const from = place - this.#starts[this.#n];
      const to = Math.min(node.count, from + end - place);
      yield { node, from, to };
      place += to - from;
    }
  }
}

class Child implements Subtree {
  readonly parent: Node;
  readonly index: number;
  readonly isLast: boolean;

  constructor(parent: Node, index: number, isLast: boolean) {
    this.parent = parent;
    this.index = index;
    this.isLast = isLast;
  }

  get ref(): NodeRef {
    return this.parent.child(this.index);
  }
}

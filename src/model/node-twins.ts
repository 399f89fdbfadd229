/**
 * Internal nodes of trees that were walked lately, by their places. A version of a tree shares
 * nearly all its nodes with the one before it; a walk over a history that compares a node with
 * its twin, the last one at the same place, goes on only to children that the twin has not. So
 * it costs what changed between versions, and no look-up for each of all the children.
 *
 * A place is a level, a first key, and what the caller tells trees apart by. Where a node has
 * no twin, or has moved, all its children are taken for new.
 */
import { newChildren } from '../prolly/new-children.ts';
import type { Node } from '../prolly/node.ts';

/** Nodes that are kept, about 40 KB each with their keys. */
const KEPT = 512;

interface Twin {
  readonly node: Node;
  readonly mustEnd: boolean;
}

export class NodeTwins {
  readonly #kept = new Map<string, Twin>();

  /**
   * Places of the children that the twin has not exactly so (key, hash, counts); the node is
   * the twin of the next one. `mustEnd`: it must end at a boundary, and so must its last child;
   * one of which that was not asked before is new. Cost: comparing the children in place.
   * @throws DvError `corrupt`
   */
  newChildren(tree: string, node: Node, mustEnd = false): number[] {
    const first = Buffer.from(node.key(0)).toString('latin1');
    const place = `${tree}\n${node.level}\n${first}`;
    const twin = this.#kept.get(place);
    this.#kept.delete(place);
    this.#kept.set(place, { node, mustEnd });
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
    if (twin === undefined) return Array.from({ length: node.count }, (_, i) => i);
    const { count } = node;
    return newChildren(node, twin.node, (index, other) => {
      const isAsked = index < count - 1 || mustEnd;
      return !isAsked || other < twin.node.count - 1 || twin.mustEnd;
    });
  }
}

/**
 * Internal nodes of trees that were walked lately, by their places. A version of a tree shares
 * nearly all its nodes with the one before it; a walk over a history that compares a node with
 * its twin, the last one at the same place, goes on only to children that the twin has not. So
 * it costs what changed between versions, and no look-up for each of all the children.
 *
 * A place is a level, a first key, and what the caller tells trees apart by. Where a node has
 * no twin, or has moved, all its children are taken for new.
 */
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
    return twin === undefined ? allOf(node) : differing(node, mustEnd, twin);
  }
}

const allOf = (node: Node): number[] => Array.from({ length: node.count }, (_, i) => i);

function differing(node: Node, mustEnd: boolean, twin: Twin): number[] {
  const found: number[] = [];
  let other = 0;
  for (let i = 0; i < node.count; i++) {
    other = seekKey(twin.node, other, node, i);
    const isKnown = other < twin.node.count && isSameChild(node, i, twin.node, other);
    const endsAsked = i < node.count - 1 || mustEnd;
    const endedAsked = other < twin.node.count - 1 || twin.mustEnd;
    if (!isKnown || (endsAsked && !endedAsked)) found.push(i);
  }
  return found;
}

/** The first child from `from` on whose key is not before that of child `index` of `node`. */
function seekKey(twin: Node, from: number, node: Node, index: number): number {
  let at = from;
  while (at < twin.count && twin.compareKeyTo(at, node, index) < 0) at += 1;
  return at;
}

function isSameChild(a: Node, i: number, b: Node, j: number): boolean {
  return (
    a.sameChild(i, b, j) &&
    a.childRows[i] === b.childRows[j] &&
    a.childBytes[i] === b.childBytes[j] &&
    a.compareKeyTo(i, b, j) === 0
  );
}

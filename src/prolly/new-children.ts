/**
 * Which children of a node another node of its level does not have, exactly so: key, hash and
 * counts. Compared in place, as versions of a tree share nearly all of them.
 */
import type { Node } from './node.ts';

/**
 * Their indexes. `suffices`: whether that a known child is at `other` is enough for the one at
 * `index`. @throws DvError `corrupt`
 */
export function newChildren(
  node: Node,
  known: Node,
  suffices: (index: number, other: number) => boolean,
): number[] {
  const found: number[] = [];
  let other = 0;
  for (let index = 0; index < node.count; index++) {
    other = seekKey(known, other, node, index);
    const isKnown = other < known.count && isSameChild(node, index, known, other);
    if (!isKnown || !suffices(index, other)) found.push(index);
  }
  return found;
}

/** The first child from `from` on whose key is not before that of child `index` of `node`. */
function seekKey(known: Node, from: number, node: Node, index: number): number {
  let at = from;
  while (at < known.count && known.compareKeyTo(at, node, index) < 0) at += 1;
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

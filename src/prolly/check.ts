/**
 * Is a node what the builder would have made? Order, counts, boundaries; its hash is the
 * caller's to check. For fsck and for chunks from outside.
 */
import { compareBytes } from '../bytes.ts';
import type { Node, NodeRef } from './node.ts';
import { CHILD_ENTRY_OVERHEAD, isBoundary, LEAF_ENTRY_OVERHEAD } from './splitter.ts';

/** Complaints about a node by itself; empty when it is sound. */
export function checkNode(node: Node): string[] {
  const complaints: string[] = [];
  for (let i = 1; i < node.count; i++) {
    if (compareBytes(node.key(i - 1), node.key(i)) >= 0) {
      complaints.push(`keys ${i - 1} and ${i} are out of order`);
      break;
    }
  }
  const early = boundaries(node).indexOf(true);
  if (early >= 0 && early < node.count - 1) {
    complaints.push(`it goes on behind the boundary at entry ${early}`);
  }
  return complaints;
}

/** For each entry: would the builder have ended the node there? */
function boundaries(node: Node): boolean[] {
  const result: boolean[] = [];
  let size = 0;
  for (let i = 0; i < node.count; i++) {
    const key = node.key(i);
    const by =
      node.level === 0
        ? key.length + node.value(i).length + LEAF_ENTRY_OVERHEAD
        : key.length + CHILD_ENTRY_OVERHEAD;
    result.push(isBoundary(key, 0, key.length, node.level, size, size + by, i + 1));
    size += by;
  }
  return result;
}

/** A node that is not the last of its level must end at a boundary. */
export function endsAtBoundary(node: Node): boolean {
  return boundaries(node).at(-1) ?? false;
}

/** Does a node agree with what its parent says of it? */
export function checkChild(node: Node, ref: NodeRef, parentLevel: number): string[] {
  const complaints: string[] = [];
  if (node.level !== parentLevel - 1) complaints.push(`its level is ${node.level}`);
  if (node.rows !== ref.rows)
    complaints.push(`it has ${node.rows} rows, its parent says ${ref.rows}`);
  if (node.treeBytes !== ref.bytes) {
    complaints.push(`it has ${node.treeBytes} bytes, its parent says ${ref.bytes}`);
  }
  if (node.lastKey === undefined || compareBytes(node.lastKey, ref.key) !== 0) {
    complaints.push('its last key is not the one its parent has');
  }
  return complaints;
}

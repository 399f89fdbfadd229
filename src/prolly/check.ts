/**
 * Is a node what the builder would have made? Order, counts, boundaries; its hash is the
 * caller's to check. For fsck and for chunks from outside.
 */
import { compareBytes } from '../bytes.ts';
import type { Node, NodeRef } from './node.ts';
import { CHILD_ENTRY_OVERHEAD, isBoundary, LEAF_ENTRY_OVERHEAD } from './splitter.ts';

/**
 * Complaints about a node by itself; empty when it is sound. `mustEnd`: it is not the last of
 * its level, and so ends at a boundary.
 */
export function checkNode(node: Node, mustEnd = false): string[] {
  const complaints: string[] = [];
  for (let i = 1; i < node.count; i++) {
    if (node.compareKeyTo(i - 1, node, i) >= 0) {
      complaints.push(`keys ${i - 1} and ${i} are out of order`);
      break;
    }
  }
  const early = firstBoundary(node);
  if (early < node.count - 1) {
    complaints.push(`it goes on behind the boundary at entry ${early}`);
  }
  if (mustEnd && early !== node.count - 1) complaints.push('it ends where no boundary is');
  return complaints;
}

/** The entry behind which the builder would have ended the node; `count` when there is none. */
function firstBoundary(node: Node): number {
  const { level, count } = node;
  const { bytes, offsets } = node.keyRanges;
  let size = 0;
  for (let i = 0; i < count; i++) {
    const [start, end] = [offsets[i], offsets[i + 1]];
    const own = level === 0 ? node.valueLength(i) + LEAF_ENTRY_OVERHEAD : CHILD_ENTRY_OVERHEAD;
    const after = size + end - start + own;
    if (isBoundary(bytes, start, end, level, size, after, i + 1)) return i;
    size = after;
  }
  return count;
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

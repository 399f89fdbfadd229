/**
 * Nodes by their chunks: while a chunk is checked, looked into and compared with another, it is
 * decoded once.
 */
import { Node } from '../prolly/node.ts';

const nodes = new WeakMap<Uint8Array, Node>();

/** @throws DvError `corrupt` */
export function decodedNode(bytes: Uint8Array): Node {
  const known = nodes.get(bytes);
  if (known !== undefined) return known;
  const node = new Node(bytes);
  nodes.set(bytes, node);
  return node;
}

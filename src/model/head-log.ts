/** Where HEAD has been: the operations that moved it, as many as are kept. */
import { type Hash, isHash } from '../hash.ts';
import type { Store } from '../store/contract.ts';
import { HEAD_KEY } from './head.ts';
import { listOperations, type View } from './operations.ts';

export interface HeadMove {
  /** null: a branch without commits. */
  readonly old: Hash | null;
  readonly new: Hash | null;
  readonly actor: string;
  /** ms since the epoch. */
  readonly time: number;
  readonly message: string;
}

/** Newest first. */
export async function listHeadMoves(store: Store): Promise<HeadMove[]> {
  const moves: HeadMove[] = [];
  for (const { before, after, actor, time, message } of await listOperations(store)) {
    const isMove = before.head !== after.head || before.state[HEAD_KEY] !== after.state[HEAD_KEY];
    if (!isMove) continue;
    moves.push({ old: commitOf(before), new: commitOf(after), actor, time, message });
  }
  return moves;
}

function commitOf({ head }: View): Hash | null {
  return head && isHash(head) ? head : null;
}

/** The id of a repository: what tells its clock's stamps from those of others. */
import type { RefStore } from '../store/contract.ts';

export const NODE_KEY = 'node';

/** 8 hex digits, made at `init`. */
export async function readNodeId(store: RefStore): Promise<string> {
  const value = await store.getState(NODE_KEY);
  return value === undefined ? '00000000' : Buffer.from(value).toString('latin1');
}

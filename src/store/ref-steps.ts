/** Ref updates of one transaction, where several may be steps of one ref. */
import type { Hash } from '../hash.ts';
import type { RefUpdate } from './contract.ts';

/** The ref that does not hold what its update expects, be it from the step before. */
export function findLosingRef(
  updates: readonly RefUpdate[],
  getRef: (name: string) => Hash | undefined,
): string | undefined {
  const reached = new Map<string, Hash | null>();
  for (const update of updates) {
    const { name, old } = update;
    const held = reached.has(name) ? reached.get(name) : getRef(name);
    if ((held ?? null) !== old) return name;
    reached.set(name, update.new);
  }
  return undefined;
}

/**
 * Is the record of what clients did to one ref linearizable? Values are unique (commits), so
 * the question is small: the heads the ref had are a chain of swaps, and each swap, like each
 * read, must find a moment between the call and the answer of whoever made it.
 *
 *   1. Each head but the first follows from the one before: by the commit that was pushed, which
 *      descends from it, or by a merge of the two.
 *   2. A push that was accepted made one swap, one that was refused none, one whose answer was
 *      lost at most one; and nobody else made any.
 *   3. An answer that tells a head is a read of it. With unique values there is one order to
 *      try, so each swap has an earliest and a latest moment: no swap's latest may come before
 *      its earliest.
 */
export interface PushOperation {
  readonly kind: 'push';
  readonly commit: string;
  /** `unknown`: the answer was lost. */
  readonly outcome: 'accepted' | 'refused' | 'unknown';
  /** The head that the answer told; null: none, or only that the commit is in it. */
  readonly head: string | null;
  /** Moments of one clock, in any unit; `returned` of an unknown push is of no matter. */
  readonly invoked: number;
  readonly returned: number;
}

export interface ReadOperation {
  readonly kind: 'read';
  readonly head: string;
  readonly invoked: number;
  readonly returned: number;
}

export type Operation = PushOperation | ReadOperation;

export interface Head {
  readonly commit: string;
  readonly parents: readonly string[];
  /** Whether it descends from the head before. */
  readonly descends: boolean;
}

export interface RefHistory {
  /** In order, from the one that was there before the first operation. */
  readonly heads: readonly Head[];
  readonly operations: readonly Operation[];
}

/** What is wrong with it; empty: linearizable. */
export function findViolations({ heads, operations }: RefHistory): string[] {
  const violations: string[] = [];
  const placeOf = new Map(heads.map(({ commit }, place) => [commit, place]));
  if (placeOf.size < heads.length) violations.push('a head comes twice');
  const pushes = new Map<string, PushOperation>();
  for (const operation of operations) {
    if (operation.kind === 'push') pushes.set(operation.commit, operation);
  }
  const swaps = swapsOf(heads, pushes, violations);
  for (const [commit, { outcome }] of pushes) {
    const made = swaps.filter((swap) => swap?.commit === commit).length;
    const right = outcome === 'accepted' ? made === 1 : made <= (outcome === 'unknown' ? 1 : 0);
    if (!right) violations.push(`the push of ${commit}, ${outcome}, made ${made} swaps`);
  }
  const earliest = heads.map((_, i) => swaps[i]?.invoked ?? Number.NEGATIVE_INFINITY);
  const latest = heads.map((_, i) => {
    const swap = swaps[i];
    return swap?.outcome === 'accepted' ? swap.returned : Number.POSITIVE_INFINITY;
  });
  for (const operation of operations) {
    if (operation.head === null) continue;
    const place = placeOf.get(operation.head);
    if (place === undefined) violations.push(`${operation.head} was told and was never the head`);
    else {
      latest[place] = Math.min(latest[place], operation.returned);
      const next = place + 1;
      // the head was still this one after the call: the next swap came later
      if (next < heads.length && swaps[next] !== operation) {
        earliest[next] = Math.max(earliest[next], operation.invoked);
      }
    }
  }
  return [...violations, ...findDisorder(heads, earliest, latest)];
}

/** Who made each head the head; undefined: it was there before, or nobody did. */
function swapsOf(
  heads: readonly Head[],
  pushes: ReadonlyMap<string, PushOperation>,
  violations: string[],
): (PushOperation | undefined)[] {
  return heads.map(({ commit, parents, descends }, place) => {
    if (place === 0) return undefined;
    const before = heads[place - 1].commit;
    if (!descends) violations.push(`${commit} does not descend from ${before}`);
    const own = pushes.get(commit);
    if (own !== undefined) return own;
    const [other, ...more] = parents.filter((parent) => parent !== before);
    const merged = parents.length === 2 && more.length === 0 ? pushes.get(other) : undefined;
    if (merged === undefined) violations.push(`nobody pushed what made ${commit} the head`);
    return merged;
  });
}

function findDisorder(heads: readonly Head[], earliest: number[], latest: number[]): string[] {
  const violations: string[] = [];
  for (let i = 1; i < heads.length; i++) earliest[i] = Math.max(earliest[i], earliest[i - 1]);
  for (let i = heads.length - 2; i > 0; i--) latest[i] = Math.min(latest[i], latest[i + 1]);
  for (let i = 1; i < heads.length; i++) {
    if (earliest[i] >= latest[i]) {
      violations.push(`${heads[i].commit} cannot have become the head when those who saw it say`);
    }
  }
  return violations;
}

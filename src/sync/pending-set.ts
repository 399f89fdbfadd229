/**
 * What a receiver waits for: hashes that verified chunks named, with everything that those say
 * of them. One hash may be expected from several places, and then has to hold to all.
 */
import type { Hash } from '../hash.ts';
import type { NodeRef } from '../prolly/node.ts';
import type { Expectation } from './expectation.ts';

export class PendingSet {
  private readonly expected = new Map<Hash, Expectation[]>();

  get size(): number {
    return this.expected.size;
  }

  has(hash: Hash): boolean {
    return this.expected.has(hash);
  }

  get(hash: Hash): readonly Expectation[] | undefined {
    return this.expected.get(hash);
  }

  delete(hash: Hash): void {
    this.expected.delete(hash);
  }

  add(one: Expectation): void {
    const others = this.expected.get(one.hash);
    if (others === undefined) this.expected.set(one.hash, [one]);
    else if (!others.some((other) => isSame(other, one))) others.push(one);
  }

  /** The commits of which parts are pending, and those of which a parent is. */
  commits(): { readonly under: Hash[]; readonly naming: Hash[] } {
    const under = new Set<Hash>();
    const naming = new Set<Hash>();
    for (const expected of this.expected.values()) {
      for (const { kind, commit } of expected) {
        if (commit !== undefined) (kind === 'named' ? naming : under).add(commit);
      }
    }
    return { under: [...under], naming: [...naming] };
  }

  /** One for each hash, schemas first, as rows are checked against them. */
  frontier(limit: number): Expectation[] {
    const schemas: Expectation[] = [];
    const others: Expectation[] = [];
    for (const [first] of this.expected.values()) {
      if (first.kind === 'schema') schemas.push(first);
      else if (others.length < limit) others.push(first);
    }
    return [...schemas, ...others].slice(0, limit);
  }
}

function isSame(a: Expectation, b: Expectation): boolean {
  return (
    a.kind === b.kind &&
    (a.kind !== 'named' || a.commit === b.commit) &&
    a.schema === b.schema &&
    a.below === b.below &&
    a.only === b.only &&
    a.size === b.size &&
    a.indexLevel === b.indexLevel &&
    a.top === b.top &&
    a.mustEnd === b.mustEnd &&
    a.parentLevel === b.parentLevel &&
    isSameRef(a.ref, b.ref)
  );
}

function isSameRef(a: NodeRef | undefined, b: NodeRef | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.rows === b.rows && a.bytes === b.bytes && Buffer.compare(a.key, b.key) === 0;
}

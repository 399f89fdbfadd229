/**
 * What rules decided in a merge, as the merge commit keeps it: the first decisions in full,
 * and of all of them the number and a digest, so that a commit stays small and still says
 * exactly what was decided. The digest is BLAKE3 over one JSON line a decision:
 * [table, [key cells], column, rule, base, ours, theirs, result].
 */
import { createHasher } from '../hash.ts';
import type { Decision, Resolved } from './merge-types.ts';

/** Decisions a commit keeps in full, at most, and characters of their cells. */
export const MAX_DECISIONS = 100;
export const MAX_DECISION_CHARACTERS = 16_384;

export const NOTHING_RESOLVED: Resolved = { count: 0, digest: '', decisions: [] };

export class DecisionLog {
  readonly #hasher = createHasher();
  readonly #kept: Decision[] = [];
  #count = 0;
  #characters = 0;

  add(decision: Decision): void {
    const { table, key, column, rule, sides, result } = decision;
    const { base, ours, theirs } = sides;
    const line = JSON.stringify([table, key, column, rule, base, ours, theirs, result]);
    this.#hasher.update(Buffer.from(`${line}\n`));
    this.#count += 1;
    this.#characters += line.length;
    const fits = this.#characters <= MAX_DECISION_CHARACTERS;
    if (this.#kept.length < MAX_DECISIONS && fits) this.#kept.push(decision);
  }

  finish(): Resolved {
    if (this.#count === 0) return NOTHING_RESOLVED;
    return { count: this.#count, digest: this.#hasher.digest(), decisions: this.#kept };
  }
}

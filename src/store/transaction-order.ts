/**
 * Transactions that take effect one after the other, decided before any of them does: whether
 * each still holds after those before it that won.
 */
import { equalBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import type { RefUpdate, StateUpdate, Transaction } from './contract.ts';

/** What refs and state hold before the first. */
export interface Held {
  getRef(name: string): Hash | undefined;
  getState(key: string): Uint8Array | undefined;
}

export class TransactionOrder {
  private readonly held: Held;
  private readonly refs = new Map<string, Hash | null>();
  private readonly state = new Map<string, Uint8Array | null>();

  constructor(held: Held) {
    this.held = held;
  }

  /** The ref or state key that makes the next one lose; undefined: it wins. */
  decide({ refs = [], state = [] }: Transaction): string | undefined {
    const steps = new Map<string, Hash | null>();
    const loser =
      refs.find((update) => !this.takesStep(update, steps))?.name ??
      state.find((update) => !this.holdsExpected(update))?.key;
    if (loser !== undefined) return loser;
    for (const [name, hash] of steps) this.refs.set(name, hash);
    for (const { key, value } of state) this.state.set(key, value);
    return undefined;
  }

  /** Several updates of one ref are steps: each begins where the one before ended. */
  private takesStep({ name, old, new: to }: RefUpdate, steps: Map<string, Hash | null>): boolean {
    const reached = steps.get(name);
    if ((reached === undefined ? this.refOf(name) : reached) !== old) return false;
    steps.set(name, to);
    return true;
  }

  private refOf(name: string): Hash | null {
    const known = this.refs.get(name);
    return known === undefined ? (this.held.getRef(name) ?? null) : known;
  }

  private holdsExpected({ key, expect }: StateUpdate): boolean {
    if (expect === undefined) return true;
    const known = this.state.get(key);
    const held = known === undefined ? (this.held.getState(key) ?? null) : known;
    if (expect === null || held === null) return expect === held;
    return equalBytes(expect, held);
  }
}

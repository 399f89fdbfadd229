/**
 * What was output beyond the cursor that a follower begins at, and so is not output again.
 *
 * A source that conflates tells several changes of a ref as one, under a cursor that stays
 * until all refs are told. Begun anew it may tell the same changes one by one, between those
 * of other refs. So what was output is known by its commits: those from where the ref was at
 * the cursor up to the last one that was output, in the order they are told in. A ref is
 * forgotten once the source has come to the end of the change that was being told, and the
 * cursor is behind that.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { CommitEvent, FeedSource } from './contract.ts';
import type { OutputOfRef } from './follow-position.ts';

interface Change {
  /** All commits of the change. */
  readonly commits: ReadonlySet<Hash>;
  readonly output: ReadonlySet<Hash>;
}

const NONE: ReadonlySet<Hash> = new Set();

export class ToldBefore {
  readonly #source: FeedSource;
  readonly #done: Map<string, OutputOfRef>;
  readonly #changes = new Map<string, Change>();
  readonly #passed = new Set<string>();

  constructor(source: FeedSource, done: ReadonlyMap<string, OutputOfRef>) {
    this.#source = source;
    this.#done = new Map(done);
  }

  get done(): ReadonlyMap<string, OutputOfRef> {
    return this.#done;
  }

  forget(ref: string): void {
    this.#done.delete(ref);
    this.#changes.delete(ref);
    this.#passed.delete(ref);
  }

  /** The cursor is behind all that came. */
  forgetPassed(): void {
    for (const ref of this.#passed) this.forget(ref);
  }

  /** The source has come to what was output: nothing of that is told from here on. */
  clear(): void {
    for (const ref of this.#done.keys()) this.forget(ref);
  }

  /** The commits of an event that were output. */
  async commitsOf({ ref, old, new: to }: CommitEvent): Promise<ReadonlySet<Hash>> {
    const done = this.#done.get(ref);
    if (done === undefined || this.#passed.has(ref)) return NONE;
    // A ref that begins is told before it goes on.
    if (old === null) return new Set([to]);
    if (!this.#changes.has(ref)) this.#changes.set(ref, await this.#changeFrom(old, done));
    return this.#changes.get(ref)?.output ?? NONE;
  }

  /** The source told this, whole. */
  passed({ ref, old, new: to }: CommitEvent): void {
    const done = this.#done.get(ref);
    if (done === undefined) return;
    const isWithin = old === null || this.#changes.get(ref)?.commits.has(to) === true;
    if (to === done.of || !isWithin) this.#passed.add(ref);
  }

  async #changeFrom(old: Hash, { commit, of }: OutputOfRef): Promise<Change> {
    const commits = new Set<Hash>();
    let output = NONE;
    try {
      for await (const { hash } of this.#source.commitsBetween(old, of)) {
        commits.add(hash);
        if (hash === commit) output = new Set(commits);
      }
    } catch (error) {
      // Thrown away since: then none of it is told again.
      if (!(error instanceof DvError) || error.code !== 'missing-object') throw error;
    }
    return { commits, output };
  }
}

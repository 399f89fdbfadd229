/**
 * `dv squash`: thins the old history of a branch to one commit an hour, a day or a week. The
 * branch is moved by compare-and-swap to a history of new commits; its reflog keeps the way
 * back. Whoever commits meanwhile is not waited for: what they added is put on top as well.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readHead } from '../model/head.ts';
import { isAncestor } from '../model/history.ts';
import { BRANCH_PREFIX, shortRefName } from '../model/names.ts';
import { peelToCommit } from '../model/object-reader.ts';
import { HistoryThinner, type Period, type ThinnedHistory } from '../model/thin-history.ts';
import { requireNoMerge } from './merge-guard.ts';
import { actorOf, currentPerson } from './people.ts';
import type { Repository } from './repository.ts';
import { requireNoSequence } from './sequence.ts';

export interface SquashOptions {
  /** Age in ms: older commits are thinned. */
  readonly olderThan: number;
  readonly by: Period;
  /** Default: HEAD's. */
  readonly branch?: string;
  readonly dryRun?: boolean;
}

export interface SquashResult extends Omit<ThinnedHistory, 'head' | 'firstGone'> {
  readonly branch: string;
  readonly old: Hash;
  /** Equal to `old` when there is nothing to thin. */
  readonly new: Hash;
  /** Other refs that reach commits which this branch no longer does: gc keeps those. */
  readonly keptBy: readonly string[];
}

/** A branch that is moved all the time is given up after so many attempts. */
const MOST_ATTEMPTS = 50;

/** `7d`, `12h`, `2w`, `30m` in ms. @throws DvError `bad-option` */
export function parseAge(text: string): number {
  const found = /^(\d{1,6})(m|h|d|w)$/.exec(text);
  if (found !== null) return Number(found[1]) * UNITS[found[2]];
  throw new DvError('bad-option', `"${text}" is not an age`, {
    hint: '--older-than 7d; m, h, d and w are minutes, hours, days and weeks',
  });
}

const UNITS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** @throws DvError `unknown-ref`, `no-commits`, `ref-moved`, `merge-in-progress`, `no-author` */
export async function squash(repo: Repository, options: SquashOptions): Promise<SquashResult> {
  await requireNoMerge(repo);
  await requireNoSequence(repo);
  const branch = options.branch ?? (await currentBranch(repo));
  const name = BRANCH_PREFIX + branch;
  const actor = actorOf(await currentPerson(repo));
  const { olderThan: age, by: period, dryRun = false } = options;
  const thinner = new HistoryThinner(repo.store, { cutoff: repo.env.now() - age, period }, !dryRun);
  for (let tries = 0; tries < MOST_ATTEMPTS; tries++) {
    const old = await repo.store.getRef(name);
    if (old === undefined) throw noBranch(branch);
    const { head, firstGone, ...counts } = await thinner.thin(old);
    const result = { branch, old, new: head, ...counts };
    if (dryRun || head === old) {
      return { ...result, keptBy: await refsThatKeep(repo, name, firstGone) };
    }
    const message = `squash: ${counts.before} commits into ${counts.after}`;
    const log = { actor, time: repo.env.now(), message };
    const { done } = await repo.store.transact({ refs: [{ name, old, new: head }], log });
    if (done) return { ...result, keptBy: await refsThatKeep(repo, name, firstGone) };
  }
  throw new DvError('ref-moved', `'${branch}' is moved all the time`, {
    hint: 'stop who writes to it for a moment, then try again',
    data: { branch },
  });
}

async function currentBranch({ store }: Repository): Promise<string> {
  const head = await readHead(store);
  if (head.kind === 'branch') return head.branch;
  throw new DvError('bad-option', 'HEAD is not on a branch', { hint: 'name the branch to squash' });
}

const noBranch = (branch: string): DvError =>
  new DvError('unknown-ref', `there is no branch '${branch}' with commits`, {
    hint: 'dv branch lists them',
    data: { branch },
  });

async function refsThatKeep(
  { store }: Repository,
  name: string,
  gone: Hash | undefined,
): Promise<string[]> {
  if (gone === undefined) return [];
  const names: string[] = [];
  for (const ref of await store.listRefs('refs/')) {
    if (ref.name === name) continue;
    if (await isAncestor(store, gone, await peelToCommit(store, ref.hash))) {
      names.push(shortRefName(ref.name));
    }
  }
  return names;
}

/**
 * `dv rebase`: the commits of HEAD that upstream has not, made again on another commit. Merges
 * are left out, as in git, and so are commits whose changes are there already.
 */

import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readCommit } from '../model/object-reader.ts';
import { requireWorkingFiles } from './bare.ts';
import { firstLine } from './commit.ts';
import { requireNoMerge } from './merge-guard.ts';
import { commitsBetween } from './pick.ts';
import { atPresent, type Repository, resolveCommit } from './repository.ts';
import {
  requireNoSequence,
  type SequenceOptions,
  type SequenceStep,
  type StepAction,
} from './sequence.ts';
import { runSequence, type SequenceResult } from './sequencer.ts';
import { requireCleanStage } from './settle-merge.ts';
import { workingSet } from './staging.ts';
import { switchTo } from './switch.ts';

export interface RebaseOptions extends Pick<SequenceOptions, 'resolve'> {
  /** Where to; default: upstream. */
  readonly onto?: string;
  /** Go to this branch first. */
  readonly branch?: string;
  /** In place of all commits in their order: what the person made of the plan. */
  readonly plan?: (steps: readonly PlannedStep[]) => Promise<readonly PlannedStep[]>;
}

export interface PlannedStep {
  readonly action: StepAction;
  readonly commit: Hash;
  readonly subject: string;
  /** The commit's own, or a new one. */
  readonly message?: string;
}

/** @throws DvError as `runSequence`, and `bad-plan` */
export async function rebase(
  repo: Repository,
  upstream: string,
  options: RebaseOptions = {},
): Promise<SequenceResult> {
  await requireNoSequence(repo);
  requireWorkingFiles(repo);
  await requireNoMerge(repo);
  const now = atPresent(repo);
  if (options.branch !== undefined) await switchTo(now, options.branch);
  // Before anybody writes a plan, which would be lost.
  await requireCleanStage(repo, await workingSet(repo));
  const onto = await resolveCommit(repo, options.onto ?? upstream);
  const from = await resolveCommit(repo, upstream);
  const steps: PlannedStep[] = [];
  for (const commit of await commitsBetween(now, from, 'HEAD')) {
    const { parents, message } = await readCommit(repo.store, commit);
    if (parents.length < 2) steps.push({ action: 'pick', commit, subject: firstLine(message) });
  }
  const planned = options.plan === undefined ? steps : await options.plan(steps);
  checkPlan(planned);
  const todo = planned.map(
    ({ action, commit, message }): SequenceStep => ({
      action,
      commit,
      ...(message === undefined ? {} : { message }),
    }),
  );
  const { resolve } = options;
  return runSequence(now, 'rebase', todo, resolve === undefined ? {} : { resolve }, onto);
}

function checkPlan([first]: readonly PlannedStep[]): void {
  if (first?.action !== 'squash' && first?.action !== 'fixup') return;
  throw new DvError(
    'bad-plan',
    `there is no commit before ${first.commit.slice(0, 12)} to ${first.action} it into`,
    {
      hint: 'nothing was changed; begin with a pick',
    },
  );
}

const ACTIONS: Readonly<Record<string, StepAction>> = {
  p: 'pick',
  r: 'reword',
  e: 'edit',
  s: 'squash',
  f: 'fixup',
};

/** The plan as a text to edit: a line a commit, oldest first. */
export function formatPlan(steps: readonly PlannedStep[]): string {
  return steps
    .map(({ action, commit, subject }) => `${action} ${commit.slice(0, 12)} ${subject}\n`)
    .join('');
}

/**
 * The plan that a person made of `steps`: lines moved, removed, with other words in front. One
 * that says nothing at all is refused; one that says `drop` of every commit drops them.
 * @throws DvError `bad-plan` with the line
 */
export function parsePlan(text: string, steps: readonly PlannedStep[]): PlannedStep[] {
  const planned: PlannedStep[] = [];
  let isEmpty = steps.length > 0;
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [word, prefix = ''] = line.trim().split(/\s+/);
    isEmpty = false;
    const action = ACTIONS[word] ?? Object.values(ACTIONS).find((name) => name === word);
    const isDropped = word === 'drop' || word === 'd';
    const found = steps.filter(({ commit }) => prefix.length >= 4 && commit.startsWith(prefix));
    if (action === undefined && !isDropped)
      throw badLine(i, `"${word}" is none of pick, reword, edit, squash, fixup and drop`);
    if (found.length !== 1) throw badLine(i, `"${prefix}" names no commit of the plan`);
    if (planned.some(({ commit }) => commit === found[0].commit)) {
      throw badLine(i, `${prefix} is there twice`);
    }
    if (action !== undefined) planned.push({ ...found[0], action });
  }
  if (!isEmpty) return planned;
  throw new DvError('bad-plan', 'the plan is empty', {
    hint: 'nothing was changed; drop in front of a commit leaves it out',
  });
}

function badLine(index: number, why: string): DvError {
  return new DvError('bad-plan', `line ${index + 1} of the plan makes no sense: ${why}`, {
    hint: 'nothing was changed',
    data: { line: index + 1 },
  });
}

/** `dv cherry-pick` and `dv revert`: what commits changed, made again or taken back on HEAD. */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { walkHistory } from '../model/history.ts';
import { atPresent, type Repository, resolveCommit } from './repository.ts';
import type { SequenceOptions, SequenceStep } from './sequence.ts';
import { runSequence, type SequenceResult } from './sequencer.ts';

/**
 * `revisions`: commits, or ranges `A..B`; of a range the oldest first.
 * @throws DvError as `runSequence`, and `bad-revision`
 */
export async function cherryPick(
  repo: Repository,
  revisions: readonly string[],
  options: SequenceOptions = {},
): Promise<SequenceResult> {
  const commits = await listCommits(repo, revisions);
  const steps = commits.map((commit): SequenceStep => ({ action: 'pick', commit }));
  return runSequence(atPresent(repo), 'cherry-pick', steps, options);
}

/** Of a range the newest first. @throws DvError as `cherryPick` */
export async function revert(
  repo: Repository,
  revisions: readonly string[],
  options: SequenceOptions = {},
): Promise<SequenceResult> {
  const commits: Hash[] = [];
  for (const revision of revisions) {
    commits.push(...(await listCommits(repo, [revision])).reverse());
  }
  const steps = commits.map((commit): SequenceStep => ({ action: 'revert', commit }));
  return runSequence(atPresent(repo), 'revert', steps, options);
}

async function listCommits(repo: Repository, revisions: readonly string[]): Promise<Hash[]> {
  const commits: Hash[] = [];
  for (const text of revisions) {
    const range = /^(.*?)\.\.(.*)$/.exec(text);
    if (range === null) commits.push(await resolveCommit(repo, text));
    else {
      // An end that is left out is HEAD as it is now.
      const now = atPresent(repo);
      const end = (name: string) =>
        name === '' ? resolveCommit(now, 'HEAD') : resolveCommit(repo, name);
      commits.push(...(await commitsBetween(now, await end(range[1]), await end(range[2]))));
    }
  }
  if (commits.length > 0) return commits;
  throw new DvError('bad-revision', `'${revisions.join(' ')}' has no commits`, {
    hint: 'dv log shows what a range has',
  });
}

/** Commits of `to` that `from` has not, parents before children. */
export async function commitsBetween(repo: Repository, from: string, to: string): Promise<Hash[]> {
  const exclude = [await resolveCommit(repo, from)];
  const commits: Hash[] = [];
  for await (const { hash } of walkHistory(repo.store, [await resolveCommit(repo, to)], {
    exclude,
  })) {
    commits.push(hash);
  }
  return commits.reverse();
}

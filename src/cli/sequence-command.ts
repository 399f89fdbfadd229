/**
 * What cherry-pick, revert and rebase have in common on the command line: going on, skipping,
 * going back, and what they say.
 *
 * JSON: `{"outcome","commit","made":[...],"skipped":[...],"stoppedAt","conflicts":[...]}`.
 * Exit status 1 where it stopped at conflicts.
 */
import type { Command } from 'commander';
import { DvError } from '../errors.ts';
import { readCommit } from '../model/object-reader.ts';
import { firstLine } from '../porcelain/commit.ts';
import type { Repository } from '../porcelain/repository.ts';
import type { SequenceOperation } from '../porcelain/sequence.ts';
import {
  abortSequence,
  continueSequence,
  quitSequence,
  skipStep,
} from '../porcelain/sequence-resume.ts';
import type { SequenceResult } from '../porcelain/sequencer.ts';
import type { Context } from './context.ts';
import { shortHash } from './render/commit-parts.ts';
import {
  conflictAsJson,
  renderConflictSummary,
  renderReused,
  reusedAsJson,
} from './render/merge-conflicts.ts';

export interface SequenceFlags {
  readonly continue?: boolean;
  readonly skip?: boolean;
  readonly abort?: boolean;
  readonly quit?: boolean;
}

export function declareSequence(command: Command): void {
  command
    .option('--continue', 'go on when the conflicts are resolved')
    .option('--skip', 'leave out the commit that it stopped at, and go on')
    .option('--abort', 'back to where it began')
    .option('--quit', 'forget what is left, and leave everything as it is');
}

/** Runs `--continue` and its like; undefined where none was given. @throws DvError `bad-option` */
export function resumption(
  flags: SequenceFlags,
  operands: readonly string[],
): ((repo: Repository, operation: SequenceOperation) => Promise<SequenceResult>) | undefined {
  const given = (['continue', 'skip', 'abort', 'quit'] as const).filter((flag) => flags[flag]);
  if (given.length === 0) return undefined;
  if (given.length > 1) {
    throw new DvError('bad-option', `'--${given[0]}' and '--${given[1]}' exclude each other`);
  }
  if (operands.length > 0) throw new DvError('bad-option', `'--${given[0]}' takes no revision`);
  const verbs = {
    continue: (repo: Repository, operation: SequenceOperation) => continueSequence(repo, operation),
    skip: skipStep,
    abort: abortSequence,
    quit: quitSequence,
  };
  return verbs[given[0]];
}

/** @returns the exit status */
export async function showSequence(
  context: Context,
  repo: Repository,
  operation: SequenceOperation,
  result: SequenceResult,
): Promise<number> {
  if (context.json) {
    const { reused } = result;
    context.out.json({
      ...result,
      conflicts: result.conflicts.map(conflictAsJson),
      ...(reused && { reused: reusedAsJson(reused) }),
    });
  } else if (!context.quiet) {
    await writeCommits(context, repo, result);
    context.out.write(ending(context, operation, result));
  }
  return result.outcome === 'conflicts' ? 1 : 0;
}

async function writeCommits(
  context: Context,
  repo: Repository,
  { made, skipped }: SequenceResult,
): Promise<void> {
  const line = async (mark: string, hash: (typeof made)[number]) => {
    const { message } = await readCommit(repo.store, hash);
    const subject = context.shownLine(firstLine(message));
    context.out.line(`${mark}${context.paint.hash(shortHash(hash))} ${subject}`);
  };
  for (const hash of made) await line('', hash);
  for (const hash of skipped) await line('nothing new: ', hash);
}

function ending(context: Context, operation: SequenceOperation, result: SequenceResult): string {
  const { paint } = context;
  const next = `(dv ${operation} --continue, --skip or --abort)`;
  switch (result.outcome) {
    case 'conflicts':
      return (
        renderConflictSummary(result.conflicts, context) +
        renderReused(result.reused) +
        `stopped at ${paint.hash(shortHash(result.stoppedAt!))}; dv resolve, then go on ${next}\n`
      );
    case 'edit':
      return `stopped at ${paint.hash(shortHash(result.stoppedAt!))} to be edited ${next}\n`;
    case 'staged':
      return 'staged; not committed\n';
    case 'aborted':
      return `back at ${paint.hash(shortHash(result.commit))}\n`;
    case 'quit':
      return 'what is left is forgotten\n';
    case 'up-to-date':
      return 'Already up to date.\n';
    case 'done':
      return operation === 'rebase'
        ? `HEAD is now at ${paint.hash(shortHash(result.commit))}\n`
        : '';
  }
}

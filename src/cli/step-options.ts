/** Options that cherry-pick and revert share. */
import type { Command } from 'commander';
import { DvError } from '../errors.ts';
import type { SequenceOptions } from '../porcelain/sequence.ts';
import { readRule } from './commands/merge.ts';

export interface StepFlags {
  /** false: `--no-commit`. */
  readonly commit?: boolean;
  readonly mainline?: number;
  readonly resolve?: string;
}

export function declareStepOptions(command: Command): void {
  command
    .option('-n, --no-commit', 'only stage what it brings')
    .option('-m, --mainline <number>', 'of a merge: which parent counts as before', readMainline)
    .option('--resolve <rule>', 'decide what no rule of a table decides: ours, theirs, max...');
}

function readMainline(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new DvError('bad-option', `'${text}' is no number of a parent`, { hint: '-m 1' });
}

/** @throws DvError `unknown-rule` */
export function readStepOptions({ commit, mainline, resolve }: StepFlags): SequenceOptions {
  const rule = readRule(resolve);
  return {
    ...(commit === false && { commit: false }),
    ...(mainline !== undefined && { mainline }),
    ...(rule !== undefined && { resolve: rule }),
  };
}

/** `dv revert COMMIT...`: takes back what commits changed, by new commits. */
import { DvError } from '../../errors.ts';
import { revert } from '../../porcelain/pick.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import {
  declareSequence,
  resumption,
  type SequenceFlags,
  showSequence,
} from '../sequence-command.ts';
import { declareStepOptions, readStepOptions, type StepFlags } from '../step-options.ts';

interface Options extends AsOfFlag, SequenceFlags, StepFlags {}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Take back the rows that commits changed, by new commits. History stays.')
      .argument('[revision...]', 'commits, or ranges A..B, newest first')
      .option('--no-edit', 'take the message as it is (dv never asks)');
    declareStepOptions(command);
    declareSequence(command);
    declareAsOf(command);
  },
  examples: [
    ['dv revert HEAD', 'take the last commit back'],
    ['dv revert -m 1 HEAD', 'take a merge back, seen from its first parent'],
  ],
  async run(context, { operands, options }) {
    const resume = resumption(options, operands);
    if (resume === undefined && operands.length === 0) {
      throw new DvError('bad-option', 'there is no commit to revert', { hint: 'dv revert COMMIT' });
    }
    const steps = readStepOptions(options);
    const repo = await openAsOf(context, options);
    const result = await (resume?.(repo, 'revert') ?? revert(repo, operands, steps));
    return showSequence(context, repo, 'revert', result);
  },
};

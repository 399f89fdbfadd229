/** `dv cherry-pick COMMIT...`: makes commits of elsewhere again on the current branch. */
import { DvError } from '../../errors.ts';
import { cherryPick } from '../../porcelain/pick.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import {
  declareSequence,
  resumption,
  type SequenceFlags,
  showSequence,
} from '../sequence-command.ts';
import { declareStepOptions, readStepOptions, type StepFlags } from '../step-options.ts';

interface Options extends AsOfFlag, SequenceFlags, StepFlags {
  readonly x?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Make commits again on the current branch: the rows that they changed.')
      .argument('[revision...]', 'commits, or ranges A..B')
      .option('-x', 'say in the message where the commit comes from');
    declareStepOptions(command);
    declareSequence(command);
    declareAsOf(command);
  },
  examples: [
    ['dv cherry-pick fix', 'the last commit of a branch'],
    ['dv cherry-pick main..fix', 'all that fix has and main has not'],
    ['dv cherry-pick --continue', 'go on after dv resolve'],
  ],
  async run(context, { operands, options }) {
    const resume = resumption(options, operands);
    if (resume === undefined && operands.length === 0) {
      throw new DvError('bad-option', 'there is no commit to pick', {
        hint: 'dv cherry-pick COMMIT',
      });
    }
    const steps = { ...readStepOptions(options), ...(options.x && { record: true }) };
    const repo = await openAsOf(context, options);
    const result = await (resume?.(repo, 'cherry-pick') ?? cherryPick(repo, operands, steps));
    return showSequence(context, repo, 'cherry-pick', result);
  },
};

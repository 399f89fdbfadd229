/** `dv bisect bad [REV...]`. */
import { bisectMark } from '../../porcelain/bisect.ts';
import { showStep } from '../bisect-result.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description('Say that it is broken in a commit.')
      .argument('[revision...]', 'default: where HEAD is');
  },
  async run(context, { operands }) {
    const repo = await openRepositoryOf(context);
    await showStep(context, repo, await bisectMark(repo, 'bad', operands));
    return 0;
  },
};

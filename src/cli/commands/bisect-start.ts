/** `dv bisect start [BAD [GOOD...]]`. */
import { bisectStart } from '../../porcelain/bisect.ts';
import { showStep } from '../bisect-result.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description('Begin to look for the commit that broke something.')
      .argument('[bad]', 'a commit where it is broken')
      .argument('[good...]', 'commits where it was not');
  },
  async run(context, { operands: [bad, ...good] }) {
    const repo = await openRepositoryOf(context);
    await showStep(context, repo, await bisectStart(repo, bad, good));
    return 0;
  },
};

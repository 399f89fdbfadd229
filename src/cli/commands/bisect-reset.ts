/** `dv bisect reset`. */
import { bisectReset } from '../../porcelain/bisect.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command.description('End the search, and go back to where it began.');
  },
  async run(context) {
    const repo = await openRepositoryOf(context);
    await bisectReset(repo);
    context.note('back to where the search began');
    return 0;
  },
};

/** `dv stash clear`. JSON: `{"dropped": how many}`. */
import { stashClear } from '../../porcelain/stash.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command.description('Forget everything that was put aside.');
  },
  async run(context) {
    const repo = await openRepositoryOf(context);
    const dropped = await stashClear(repo);
    if (context.json) context.out.json({ dropped });
    else context.note(`${dropped} dropped`);
    return 0;
  },
};

/** `dv stash drop [STASH]`. JSON: `{"dropped":[commit...]}`. */
import { stashDrop } from '../../porcelain/stash.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description('Forget something that was put aside.')
      .argument('[stash]', 'stash@{N} or N; default the newest');
  },
  async run(context, { operands: [stash] }) {
    const repo = await openRepositoryOf(context);
    const { commit, message } = await stashDrop(repo, stash);
    if (context.json) context.out.json({ dropped: [commit] });
    else context.note(`dropped: ${context.shownLine(message)}`);
    return 0;
  },
};

/** `dv stash list`. JSON, one a line: `{"stash","commit","message"}`. */
import { listStash } from '../../porcelain/stash.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command.description('List what is put aside, newest first.');
  },
  async run(context) {
    const repo = await openRepositoryOf(context);
    for (const [i, { commit, message }] of (await listStash(repo)).entries()) {
      const stash = `stash@{${i}}`;
      if (context.json) context.out.json({ stash, commit, message });
      else context.out.line(`${context.paint.hash(stash)}: ${context.shownLine(message)}`);
    }
    return 0;
  },
};

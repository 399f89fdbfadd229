/** `dv bisect log`: the commands so far. JSON: the state. */
import { readBisect } from '../../porcelain/bisect.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command.description('Show what was said of which commit so far.');
  },
  async run(context) {
    const repo = await openRepositoryOf(context);
    const state = await readBisect(repo);
    if (context.json) context.out.json(state);
    else for (const line of state.log) context.out.line(context.shownLine(line));
    return 0;
  },
};

/**
 * `dv stash apply [STASH]`: brings back what was put aside.
 * JSON: `{"outcome","stash","dropped","tables":[...],"conflicts":[...]}`. Exit status 1: conflicts.
 */
import { stashApply } from '../../porcelain/stash.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { showApplied } from '../stash-result.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description(
        'Bring back what was put aside. Where HEAD has changed the same ' +
          'meanwhile there are conflicts, and it stays in the list.',
      )
      .argument('[stash]', 'stash@{N} or N; default the newest');
  },
  async run(context, { operands: [stash] }) {
    const repo = await openRepositoryOf(context);
    return showApplied(context, await stashApply(repo, stash, { drop: false }));
  },
};

/**
 * `dv reflog [REF]`: where HEAD, or a branch, has been.
 * JSON, one a line: `{"ref","place","commit","actor","time","message"}`.
 */

import { shortRefName } from '../../model/names.ts';
import { reflog } from '../../porcelain/reflog.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { shortHash } from '../render/commit-parts.ts';
import { parseCount } from './log.ts';

interface Options {
  readonly maxCount?: number;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Show where HEAD, or a branch, has been, newest first. REF@{N} names each.')
      .argument('[ref]', 'a branch; default HEAD')
      .option('-n, --max-count <number>', 'so many entries', parseCount);
  },
  examples: [
    ['dv reflog', 'what was done here lately'],
    ['dv reflog main', 'where a branch has been'],
    ['dv reset --hard main@{1}', 'back to where it was before'],
  ],
  async run(context, { operands: [ref], options }) {
    const repo = await openRepositoryOf(context);
    const entries = await reflog(repo, ref);
    for (const entry of entries.slice(0, options.maxCount ?? entries.length)) {
      if (context.json) {
        context.out.json({ ...entry, time: new Date(entry.time).toISOString() });
        continue;
      }
      const { commit, place, message } = entry;
      const hash = commit === null ? '0000000' : shortHash(commit);
      const name = `${shortRefName(entry.ref)}@{${place}}`;
      context.out.line(`${context.paint.hash(hash)} ${name}: ${context.shownLine(message)}`);
    }
    return 0;
  },
};

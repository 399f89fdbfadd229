/**
 * `dv squash`: thins the old history of a branch.
 * JSON: `{"dryRun","branch","old","new","before","after","moved","keptBy"}`.
 */
import { DvError } from '../../errors.ts';
import { PERIODS } from '../../model/thin-history.ts';
import { parseAge, type SquashResult, squash } from '../../porcelain/squash.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { shortHash } from '../render/commit-parts.ts';
import { formatCount } from '../render/count.ts';

interface Options {
  readonly olderThan: string;
  readonly by: string;
  readonly dryRun?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Thin the old history of a branch to one commit an hour, a day or a week: the last of ' +
          'each, which says how many it stands for. Newer commits are put on top as they are. ' +
          'Their hashes change; the reflog keeps the way back, and dv gc frees the room later.',
      )
      .argument('[branch]', 'default: the current one')
      .requiredOption('--older-than <age>', 'thin what is older: 12h, 7d, 4w')
      .requiredOption('--by <period>', 'what one commit is to stand for: hour, day or week')
      .option('-n, --dry-run', 'say what would become of it, and change nothing');
  },
  examples: [
    ['dv squash --older-than 7d --by hour', 'the current branch'],
    ['dv squash live --older-than 4w --by day -n', 'what it would do'],
    ['dv reset --hard main@{1}', 'back to how it was'],
  ],
  async run(context, { operands: [branch, ...more], options }) {
    if (more.length > 0) throw new DvError('bad-option', 'dv squash takes one branch');
    const by = PERIODS.find((period) => period === options.by);
    if (by === undefined) {
      throw new DvError('bad-option', `"${options.by}" is no period`, {
        hint: '--by hour, day or week',
      });
    }
    const olderThan = parseAge(options.olderThan);
    const repo = await openRepositoryOf(context);
    const { dryRun = false } = options;
    const result = await squash(repo, { olderThan, by, branch, dryRun });
    if (context.json) context.out.json({ dryRun, ...result });
    else if (!context.quiet) render(context, result, dryRun);
    return 0;
  },
};

function render(context: Context, result: SquashResult, dryRun: boolean): void {
  const { branch, old, new: head, before, after, moved, keptBy } = result;
  const name = context.shownLine(branch);
  if (head === old) {
    context.out.line(`${name}: nothing to thin`);
    return;
  }
  const commits = formatCount(before, 'commits');
  const became = dryRun ? 'would become' : 'became';
  context.out.line(
    `${name}: ${commits} ${became} ${after}, ${formatCount(moved, 'newer commits')} on top`,
  );
  if (!dryRun) {
    const [from, to] = [old, head].map((hash) => context.paint.hash(shortHash(hash)));
    context.out.line(`${from} → ${to}; back with: dv reset --hard ${name}@{1}`);
  }
  if (keptBy.length > 0) {
    context.out.line(`also reached by ${keptBy.map((ref) => context.shownLine(ref)).join(', ')}`);
  }
}

/**
 * `dv reset [REV]`: moves the current branch to a commit. `dv reset [REV] -- PATH...`: what
 * is staged of the paths goes back to the commit's.
 *
 * JSON: `{"commit","mode","files":[...]}` (working files written), or `{"unstaged":[...]}`.
 */
import { DvError } from '../../errors.ts';
import { readSubject } from '../../porcelain/log.ts';
import { headCommit, type Repository } from '../../porcelain/repository.ts';
import { type ResetMode, reset } from '../../porcelain/reset.ts';
import { restore } from '../../porcelain/restore.ts';
import { splitRevisions } from '../../porcelain/revisions-and-paths.ts';
import { status } from '../../porcelain/status.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { shortHash } from '../render/commit-parts.ts';
import { shownPath } from '../render/status.ts';

interface Options extends AsOfFlag {
  readonly soft?: boolean;
  readonly mixed?: boolean;
  readonly hard?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Move the current branch to a commit. With paths, move nothing, and unstage them.',
      )
      .argument('[revision-and-paths...]', 'a commit (default: HEAD), then -- and paths')
      .option('--soft', 'leave what is staged, and the files')
      .option('--mixed', 'unstage everything, and leave the files (the default)')
      .option('--hard', 'write the files, too: changes not committed are lost');
    declareAsOf(command);
  },
  examples: [
    ['dv reset cities.csv', 'unstage a table'],
    ['dv reset --soft HEAD~1', 'take the last commit back, and keep its changes staged'],
    ['dv reset --hard', 'back to the last commit; everything since is lost'],
  ],
  async run(context, { operands, beforeDashes, options }) {
    const mode = modeOf(options);
    const repo = await openAsOf(context, options);
    const { revisions, paths } = await splitRevisions(repo, operands, beforeDashes);
    if (revisions.length > 1) {
      throw new DvError('bad-option', 'reset goes to one commit', { hint: 'dv reset REV -- PATH' });
    }
    if (paths.length > 0) {
      if (mode !== undefined) {
        throw new DvError('bad-option', `'--${mode}' does not go with paths`, {
          hint: 'dv restore --source REV PATH writes files',
        });
      }
      return unstage(context, repo, paths, revisions[0]);
    }
    if (revisions.length === 0 && (await headCommit(repo)) === undefined) {
      return unstage(context, repo, ['.'], undefined);
    }
    return moveBranch(context, repo, revisions[0] ?? 'HEAD', mode ?? 'mixed');
  },
};

function modeOf(options: Options): ResetMode | undefined {
  const modes = (['soft', 'mixed', 'hard'] as const).filter((mode) => options[mode]);
  if (modes.length < 2) return modes[0];
  throw new DvError('bad-option', `'--${modes[0]}' and '--${modes[1]}' exclude each other`);
}

async function unstage(
  context: Context,
  repo: Repository,
  paths: readonly string[],
  source: string | undefined,
): Promise<number> {
  const { tables } = await restore(repo, paths, { staged: true, source });
  if (context.json) context.out.json({ unstaged: tables });
  else await noteUnstaged(context, repo);
  return 0;
}

async function moveBranch(
  context: Context,
  repo: Repository,
  revision: string,
  mode: ResetMode,
): Promise<number> {
  const result = await reset(repo, revision, mode);
  if (context.json) context.out.json(result);
  else if (mode === 'hard' && !context.quiet) {
    const subject = context.shownLine(await readSubject(repo, result.commit));
    context.out.line(`HEAD is now at ${shortHash(result.commit)} ${subject}`);
  } else if (mode === 'mixed') await noteUnstaged(context, repo);
  return 0;
}

/** The files that differ from what is staged now, as git says them. */
async function noteUnstaged(context: Context, repo: Repository): Promise<void> {
  if (context.quiet) return;
  const { unstaged } = await status(repo, { untracked: 'no' });
  if (unstaged.length === 0) return;
  context.out.line('Unstaged changes after reset:');
  for (const { table, change } of unstaged) {
    const path = context.shownLine(shownPath(repo, table));
    context.out.line(`${change === 'removed' ? 'D' : 'M'}\t${path}`);
  }
}

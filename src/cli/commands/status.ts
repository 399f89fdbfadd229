/**
 * `dv status`: what is staged, what is not, and what dv does not know.
 *
 * JSON: `{"branch","commit","staged":[{table,kind,change,rows}],"unstaged":[...],
 * "untracked":[...],"clean"}`; `clean` is about tracked files only. A branch that follows
 * another has `tracking` `{upstream,ahead,behind}`; what waits for somebody is in `merge`
 * `{operation,theirs,conflicts}`, `sequence` `{operation,stoppedAt,isEdit,left}`, `bisecting`; a clone that lacks something says so in
 * `shallow` `{boundary}` and `partial` `{remote,tables}`.
 */
import { Option } from 'commander';
import type { Repository } from '../../porcelain/repository.ts';
import { type Status, type StatusChange, status } from '../../porcelain/status.ts';
import type { Tracking } from '../../porcelain/tracking.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderStatus, shownPath } from '../render/status.ts';
import { renderTracking } from '../render/tracking.ts';

interface Options {
  readonly short?: boolean;
  readonly branch?: boolean;
  readonly untrackedFiles?: 'no' | 'normal' | 'all';
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .option('-s, --short', 'one line a file: what is staged, what is not, the name')
      .option('-b, --branch', 'with --short: the branch, too')
      .addOption(
        new Option('-u, --untracked-files [which]', 'untracked files')
          .choices(['no', 'normal', 'all'])
          .preset('all'),
      );
  },
  async run(context, { options }) {
    const repo = await openRepositoryOf(context);
    const result = await status(repo, { untracked: options.untrackedFiles });
    if (context.json) context.out.json(result);
    else if (options.short) context.out.write(renderShort(result, options, context, repo));
    else context.out.write(renderStatus(result, context, repo));
    return 0;
  },
};

/** `origin/main [ahead 1]`, as git has it. */
function renderShortTracking(tracking: Tracking): string {
  const [upstream, rest] = renderTracking(tracking).split(': ');
  return rest === undefined ? upstream : `${upstream} [${rest}]`;
}

const LETTERS: Readonly<Record<StatusChange, string>> = { added: 'A', modified: 'M', removed: 'D' };

function renderShort(
  { branch, staged, unstaged, untracked, tracking, merge }: Status,
  options: Options,
  { paint, shownLine }: Context,
  repo: Repository,
): string {
  const letters = new Map<string, [staged: string, unstaged: string]>();
  for (const { table, change } of staged) letters.set(table, [LETTERS[change], ' ']);
  for (const { table, change } of unstaged) {
    letters.set(table, [letters.get(table)?.[0] ?? ' ', LETTERS[change]]);
  }
  for (const { table } of merge?.conflicts ?? []) letters.set(table, ['U', 'U']);
  const names = [...letters.keys()].sort();
  const lines = names.map((name) => {
    const [x, y] = letters.get(name) ?? [' ', ' '];
    return `${paint.added(x)}${paint.removed(y)} ${shownLine(shownPath(repo, name))}`;
  });
  if (options.branch) {
    const follows = tracking === undefined ? '' : `...${renderShortTracking(tracking)}`;
    lines.unshift(`## ${shownLine(`${branch ?? 'HEAD (no branch)'}${follows}`)}`);
  }
  for (const name of untracked) {
    lines.push(`${paint.removed('??')} ${shownLine(shownPath(repo, name))}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

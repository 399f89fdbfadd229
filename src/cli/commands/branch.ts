/**
 * `dv branch`: lists, makes, renames and deletes branches.
 *
 * JSON: a list is `{"branches":[{branch,commit,current,subject,time}]}`, of remotes' with
 * `"remote":true`, with -vv `tracking` `{upstream,ahead,behind}`; making and moving
 * give `{"branch","commit"}`, renaming also `from`; deleting `{"deleted":[{branch,commit}]}`;
 * `--show-current` `{"branch"}`, null where HEAD is on none; `-u` `{"branch","upstream"}`.
 */
import { DvError } from '../../errors.ts';
import {
  type BranchInfo,
  createBranch,
  currentBranch,
  deleteBranch,
  listBranches,
  renameBranch,
  setBranchUpstream,
  unsetBranchUpstream,
} from '../../porcelain/branch.ts';
import { headCommit, type Repository } from '../../porcelain/repository.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { matchesGlob } from '../glob.ts';
import { shortHash } from '../render/commit-parts.ts';
import { renderTracking } from '../render/tracking.ts';
import { displayWidth, pad } from '../render/width.ts';

interface Options extends AsOfFlag {
  readonly list?: boolean;
  /** How often it was given. */
  readonly verbose?: number;
  readonly delete?: boolean;
  readonly D?: boolean;
  readonly move?: boolean;
  readonly M?: boolean;
  readonly force?: boolean;
  readonly showCurrent?: boolean;
  readonly remotes?: boolean;
  readonly all?: boolean;
  readonly setUpstreamTo?: string;
  readonly unsetUpstream?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('List branches, or make, rename and delete them.')
      .argument('[name...]', 'the branch to make, and where it starts (default: HEAD)')
      .option('-l, --list', 'list; names are patterns such as "release/*"')
      .option('-v, --verbose', 'with commit and subject; -vv: and what each follows', count)
      .option('-r, --remotes', 'the branches of remotes, as the last fetch found them')
      .option('-a, --all', 'those, too')
      .option('-d, --delete', 'delete branches whose commits HEAD has')
      .option('-D', 'delete branches all the same')
      .option('-m, --move', 'rename the current branch, or the first one named')
      .option('-M', 'rename even over a branch that exists')
      .option('-f, --force', 'make the branch even if it exists: it is moved')
      .option('-u, --set-upstream-to <upstream>', 'what the branch follows, such as origin/main')
      .option('--unset-upstream', 'the branch follows nothing any more')
      .option('--show-current', 'print the current branch');
    declareAsOf(command);
  },
  examples: [
    ['dv branch', 'list branches'],
    ['dv branch fix HEAD~2', 'make a branch at a commit, and stay where you are'],
    ['dv branch -d fix', 'delete a branch that has been merged'],
    ['dv branch -vv', 'what each branch follows, and how far it is from there'],
  ],
  async run(context, { operands, options }) {
    const repo = await openAsOf(context, options);
    if (options.showCurrent) return showCurrent(context, repo);
    if (options.delete || options.D) return remove(context, repo, operands, options);
    if (options.move || options.M) return move(context, repo, operands, options);
    if (options.setUpstreamTo !== undefined || options.unsetUpstream) {
      return follow(context, repo, operands, options);
    }
    if (options.list || options.remotes || options.all || operands.length === 0)
      return list(context, repo, operands, options);
    return create(context, repo, operands, options);
  },
};

const count = (_: unknown, before: number | undefined): number => (before ?? 0) + 1;

async function follow(
  context: Context,
  repo: Repository,
  names: readonly string[],
  { setUpstreamTo }: Options,
): Promise<number> {
  const branch = names[0] ?? (await currentBranch(repo));
  if (branch === null || names.length > 1) {
    throw new DvError('bad-option', 'one branch is to follow, and HEAD is on none', {
      hint: 'dv branch -u origin/main BRANCH',
    });
  }
  const result =
    setUpstreamTo === undefined
      ? await unsetBranchUpstream(repo, branch)
      : await setBranchUpstream(repo, branch, setUpstreamTo);
  if (context.json) context.out.json(result);
  else if (!context.quiet && 'upstream' in result) {
    context.out.line(context.shownLine(`branch '${branch}' follows '${result.upstream}'`));
  }
  return 0;
}

async function showCurrent(context: Context, repo: Repository): Promise<number> {
  const branch = await currentBranch(repo);
  if (context.json) context.out.json({ branch });
  else if (branch !== null) context.out.line(context.shownLine(branch));
  return 0;
}

async function remove(
  context: Context,
  repo: Repository,
  names: readonly string[],
  { D, force }: Options,
): Promise<number> {
  if (names.length === 0) throw new DvError('bad-option', 'no branch was named to delete');
  const deleted: Awaited<ReturnType<typeof deleteBranch>>[] = [];
  for (const name of names) {
    const gone = await deleteBranch(repo, name, D === true || force === true);
    deleted.push(gone);
    if (context.json || context.quiet) continue;
    const line = `Deleted branch ${gone.branch} (was ${shortHash(gone.commit)})`;
    context.out.line(context.shownLine(line));
  }
  if (context.json) context.out.json({ deleted });
  return 0;
}

async function move(
  context: Context,
  repo: Repository,
  names: readonly string[],
  { M, force }: Options,
): Promise<number> {
  const to = names.at(-1);
  if (to === undefined || names.length > 2) {
    throw new DvError('bad-option', 'renaming takes the new name, or the old and the new', {
      hint: 'dv branch -m [OLD] NEW',
    });
  }
  const from = names.length === 2 ? names[0] : undefined;
  const old = from ?? (await currentBranch(repo));
  const result = await renameBranch(repo, from, to, M === true || force === true);
  if (context.json) context.out.json({ from: old, ...result });
  return 0;
}

async function create(
  context: Context,
  repo: Repository,
  names: readonly string[],
  { force }: Options,
): Promise<number> {
  const [name, start = 'HEAD', ...more] = names;
  if (more.length > 0) {
    throw new DvError('bad-option', 'a branch has one name and one start', {
      hint: 'dv branch NAME [START]',
    });
  }
  const result = await createBranch(repo, name, start, force);
  if (context.json) context.out.json(result);
  return 0;
}

async function list(
  context: Context,
  repo: Repository,
  patterns: readonly string[],
  { verbose = 0, remotes, all: isAll }: Options,
): Promise<number> {
  const which = isAll ? 'all' : remotes ? 'remote' : 'local';
  const all = await listBranches(repo, { which, tracking: verbose > 1 });
  const branches = all.filter(({ branch }) => matchesGlob(branch, patterns));
  if (context.json) {
    context.out.json({ branches });
    return 0;
  }
  const detached = (await currentBranch(repo)) === null ? await headCommit(repo) : undefined;
  if (detached !== undefined && patterns.length === 0 && which !== 'remote') {
    const text = `(HEAD detached at ${shortHash(detached)})`;
    context.out.line(`* ${context.paint.removed(text)}`);
  }
  context.out.write(renderBranches(context, branches, verbose > 0, which === 'all'));
  return 0;
}

function renderBranches(
  { paint, shownLine }: Context,
  branches: readonly BranchInfo[],
  verbose: boolean,
  isMixed: boolean,
): string {
  const names = branches.map(({ branch, remote }) =>
    shownLine(remote && isMixed ? `remotes/${branch}` : branch),
  );
  const width = Math.max(0, ...names.map(displayWidth));
  const lines = branches.map(({ commit, current, subject, tracking, remote }, i) => {
    const name = verbose ? pad(names[i], width) : names[i];
    const follows = tracking === undefined ? '' : ` [${shownLine(renderTracking(tracking))}]`;
    const behind = verbose
      ? ` ${paint.hash(shortHash(commit))}${follows} ${shownLine(subject)}`
      : '';
    const shown = current ? paint.added(name) : remote ? paint.removed(name) : name;
    return `${current ? '*' : ' '} ${shown}${behind}\n`;
  });
  return lines.join('');
}

/**
 * `dv switch`: goes to another branch, and the working files with it.
 * JSON: `{"branch","commit","files":[...]}`: where HEAD is now, and the files written.
 */
import { DvError } from '../../errors.ts';
import { readSubject } from '../../porcelain/log.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { type SwitchOptions, type SwitchResult, switchTo } from '../../porcelain/switch.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { shortHash } from '../render/commit-parts.ts';

interface Options extends AsOfFlag {
  readonly create?: string;
  readonly forceCreate?: string;
  readonly detach?: boolean;
  readonly discardChanges?: boolean;
  readonly force?: boolean;
}

interface Request extends SwitchOptions {
  readonly target: string;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .argument('[branch]', 'where to go; - is where you were before; with -c, the start')
      .option('-c, --create <name>', 'make a branch here and go to it')
      .option('-C, --force-create <name>', 'the same, and move the branch if it exists')
      .option('-d, --detach', 'go to a commit or tag, on no branch')
      .option('--discard-changes', 'throw away what is not committed')
      .option('-f, --force', 'as --discard-changes');
    declareAsOf(command);
  },
  examples: [
    ['dv switch -c fix', 'begin a branch'],
    ['dv switch main', 'back to main'],
    ['dv switch --detach v1', 'look at the files of a tag'],
  ],
  async run(context, { operands: [operand], options }) {
    const { target, ...request } = readRequest(operand, options);
    const repo = await openAsOf(context, options);
    const result = await switchTo(repo, target, request);
    const { branch, commit, files, upstream } = result;
    if (context.json) context.out.json({ branch, commit, files, ...(upstream && { upstream }) });
    else {
      context.note(await describe(context, repo, result, request));
      if (upstream) context.note(`branch '${branch}' follows '${upstream}'`);
      if (branch === null && context.isTTY) {
        context.note('hint: dv switch -c NAME keeps commits that are made here');
      }
    }
    return 0;
  },
};

function readRequest(operand: string | undefined, options: Options): Request {
  const { create, forceCreate, detach } = options;
  const discard = options.discardChanges || options.force;
  const name = forceCreate ?? create;
  if (name !== undefined) {
    if (detach) throw new DvError('bad-option', "'--detach' makes no branch");
    const force = forceCreate !== undefined;
    return { target: name, create: true, force, start: operand, discard };
  }
  if (operand === undefined && !detach) {
    throw new DvError('bad-option', 'no branch was named to switch to', {
      hint: 'dv branch lists them; dv switch -c NAME makes one',
    });
  }
  return { target: operand ?? 'HEAD', detach, discard };
}

async function describe(
  { shownLine }: Context,
  repo: Repository,
  { branch, commit, already }: SwitchResult,
  { create }: SwitchOptions,
): Promise<string> {
  if (branch === null && commit !== null) {
    return `HEAD is now at ${shortHash(commit)} ${shownLine(await readSubject(repo, commit))}`;
  }
  const name = `'${shownLine(branch ?? '')}'`;
  if (already) return `Already on ${name}`;
  return create ? `Switched to a new branch ${name}` : `Switched to branch ${name}`;
}

/**
 * `dv push [REMOTE] [REFSPEC...]`.
 *
 * JSON: `{"remote","url","dryRun","refs":[{source,target,old,hash,outcome,reason}],"upstream",
 * "advanced"}`; `outcome` is `new`, `updated`, `forced`, `deleted`, `merged`, `up-to-date` or
 * `refused`. `advanced` are branches here that were moved to the merge that the server made.
 */
import { Option } from 'commander';
import type { Hash } from '../../hash.ts';
import { shortRefName } from '../../model/names.ts';
import { type PushResult, push, pushRefusal } from '../../porcelain/push.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderPushed } from '../render/moved-refs.ts';

interface Options {
  readonly setUpstream?: boolean;
  readonly force?: boolean;
  readonly forceWithLease?: ReadonlyMap<string, string | undefined>;
  readonly delete?: boolean;
  readonly tags?: boolean;
  readonly all?: boolean;
  readonly atomic?: boolean;
  readonly dryRun?: boolean;
  readonly merge?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Send commits to a remote and move its branches there. A branch moves only if nobody ' +
          'moved it meanwhile; with --merge the remote merges, by the rules of the tables, and ' +
          'refuses only real conflicts. A push that is cut goes on when it is run again.',
      )
      .argument('[remote]', 'a remote, a URL or a path; default: what the branch follows')
      .argument('[refspec...]', 'branches and tags, or SOURCE:TARGET; default: the current branch')
      .option('-u, --set-upstream', 'let the branches follow what they are pushed to')
      .option('--merge', 'where both sides have commits, let the remote merge them')
      .option('-f, --force', 'move even where that loses commits of the remote')
      .addOption(
        new Option(
          '--force-with-lease [lease]',
          'the same, but only from where it was last fetched; or =REF:COMMIT',
        )
          .preset('')
          .argParser(collectLease),
      )
      .option('-d, --delete', 'delete these branches or tags there')
      .option('--tags', 'all tags, too')
      .option('--all', 'all branches')
      .option('--atomic', 'all refs or none')
      .option('-n, --dry-run', 'say what would move, and send nothing');
  },
  examples: [
    ['dv push -u origin main', 'publish a branch, and follow it'],
    ['dv push', 'publish the commits of the current branch'],
    ['dv push --merge', 'publish, merged with what others pushed meanwhile'],
    ['dv push origin --delete fix', 'delete a branch there'],
  ],
  async run(context, { operands: [remote, ...refspecs], options }) {
    const repo = await openRepositoryOf(context);
    const { forceWithLease: leases, ...rest } = options;
    const result = await push(repo, { ...rest, remote, refspecs, ...(leases && { leases }) });
    if (context.json) context.out.json(result);
    else if (!context.quiet) tell(context, result);
    const refused = pushRefusal(result);
    if (refused !== undefined) throw refused;
    return 0;
  },
};

/** `--force-with-lease`, `=REF` or `=REF:COMMIT`; may be repeated. */
function collectLease(
  text: string,
  before: ReadonlyMap<string, string | undefined> = new Map(),
): ReadonlyMap<string, string | undefined> {
  const [ref, commit] = text.split(':');
  return new Map(before).set(ref, commit);
}

function tell(context: Context, result: PushResult): void {
  context.note(renderPushed(result, context));
  const name = (ref: string): string => context.shownLine(shortRefName(ref));
  for (const { branch, follows } of result.upstream) {
    context.note(`branch '${name(branch)}' follows '${name(follows)}'`);
  }
  for (const { branch, commit } of result.advanced) {
    context.note(`branch '${name(branch)}' is at the merge, ${short(commit)}`);
  }
  for (const branch of result.toPull) {
    context.note(`hint: dv pull brings the merge to '${name(branch)}'`);
  }
}

const short = (hash: Hash): string => hash.slice(0, 12);

/**
 * `dv rebase UPSTREAM [BRANCH]`: puts the commits of a branch on top of another commit.
 */
import { readCommit } from '../../model/object-reader.ts';
import { formatPlan, type PlannedStep, parsePlan, rebase } from '../../porcelain/rebase.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { editMessage } from '../message.ts';
import { readText } from '../read-text.ts';
import {
  declareSequence,
  resumption,
  type SequenceFlags,
  showSequence,
} from '../sequence-command.ts';
import { readRule } from './merge.ts';

interface Options extends AsOfFlag, SequenceFlags {
  readonly onto?: string;
  readonly interactive?: boolean;
  readonly todo?: string;
  readonly resolve?: string;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Make the commits that UPSTREAM has not again on top of it. Merges, and commits whose ' +
          'changes are there already, are left out.',
      )
      .argument('[upstream]', 'what the commits come to stand on; default: what the branch follows')
      .argument('[branch]', 'go to this branch first')
      .option('--onto <revision>', 'on this commit instead; UPSTREAM says which are left out')
      .option('-i, --interactive', 'edit the plan first: pick, reword, edit, squash, fixup, drop')
      .option('--todo <file>', 'take the plan from a file, or - for standard input')
      .option('--resolve <rule>', 'decide what no rule of a table decides: ours, theirs, max...');
    declareSequence(command);
    declareAsOf(command);
  },
  examples: [
    ['dv rebase main', 'the commits of this branch, on top of main'],
    ['dv rebase -i HEAD~3', 'put the last three commits in order'],
    ['dv rebase --onto main old new', 'what new has and old has not, on top of main'],
  ],
  async run(context, { operands, options }) {
    const resume = resumption(options, operands);
    const [upstream, branch] = operands;
    const resolve = readRule(options.resolve);
    const repo = await openAsOf(context, options);
    const plan = await planner(context, repo, options);
    const request = {
      ...(options.onto !== undefined && { onto: options.onto }),
      ...(branch !== undefined && { branch }),
      ...(resolve !== undefined && { resolve }),
      ...(plan !== undefined && { plan }),
    };
    const result = await (resume?.(repo, 'rebase') ?? rebase(repo, upstream ?? '@{u}', request));
    return showSequence(context, repo, 'rebase', result);
  },
};

type Planner = (steps: readonly PlannedStep[]) => Promise<readonly PlannedStep[]>;

async function planner(
  context: Context,
  repo: Repository,
  { interactive, todo }: Options,
): Promise<Planner | undefined> {
  if (todo !== undefined) {
    const text = await readText(context, todo);
    return async (steps) => parsePlan(text, steps);
  }
  if (!interactive) return undefined;
  return async (steps) => {
    const draft = `${formatPlan(steps)}\n${HELP}`;
    const planned = parsePlan(editMessage(context, repo, 'REBASE_PLAN', draft), steps);
    return askMessages(context, repo, planned);
  };
}

const HELP = `# The commits, oldest first, from the one at the top. Change the word in front, move or
# remove lines; an empty plan ends dv, and nothing is changed.
#
# pick    keep the commit
# reword  keep it, and write its message anew
# edit    stop behind it
# squash  put it into the one before, and write the message of both
# fixup   the same, and forget its message
# drop    leave it out, as removing the line does
`;

/** Messages are written before anything is done, so that the rest runs through. */
async function askMessages(
  context: Context,
  repo: Repository,
  steps: readonly PlannedStep[],
): Promise<PlannedStep[]> {
  const asked: PlannedStep[] = [];
  let below = '';
  for (const step of steps) {
    const { message } = await readCommit(repo.store, step.commit);
    const isJoined = step.action === 'squash';
    const draft = isJoined ? `${below}\n\n${message}` : message;
    const isAsked = step.action === 'reword' || isJoined;
    const written = isAsked
      ? editMessage(context, repo, 'REBASE_MESSAGE', `${draft}\n`)
      : undefined;
    if (step.action !== 'fixup') below = written ?? message;
    asked.push(written === undefined ? step : { ...step, message: written });
  }
  return asked;
}

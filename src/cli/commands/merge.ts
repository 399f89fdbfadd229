/**
 * `dv merge REV...`: other histories into the current branch.
 *
 * JSON: `{"outcome","commit","tables":[...],"conflicts":[{table,kind,rows,reasons}],
 * "resolved":{count,digest,decisions},"renumbered":[{table,from,to}],"reused":{resolved,left},"dryRun"}`. `outcome` is
 * `up-to-date`, `fast-forward`, `merged`, `staged` or `conflicts`. Exit status 1: conflicts.
 */
import { DvError } from '../../errors.ts';
import { commit } from '../../porcelain/commit.ts';
import { type MergeResult, type MergeVerbOptions, merge } from '../../porcelain/merge.ts';
import { requireOwnMerge } from '../../porcelain/merge-guard.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { abortMerge } from '../../porcelain/settle-merge.ts';
import { COLUMN_RULES, type ColumnRule } from '../../tuple/schema.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { collect, type MessageFlags, readMessage } from '../message.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { shortHash } from '../render/commit-parts.ts';
import {
  conflictAsJson,
  renderConflictSummary,
  renderReused,
  reusedAsJson,
} from '../render/merge-conflicts.ts';
import { renderRenumbered, renderResolvedCount } from '../render/merge-decisions.ts';
import { renderSummary } from '../render/row-counts.ts';

interface Options extends MessageFlags, AsOfFlag {
  /** `false`: `--no-ff`; true: `--ff`. */
  readonly ff?: boolean;
  readonly ffOnly?: boolean;
  readonly squash?: boolean;
  /** false: `--no-commit`. */
  readonly commit?: boolean;
  readonly abort?: boolean;
  readonly continue?: boolean;
  readonly dryRun?: boolean;
  readonly auto?: boolean;
  readonly resolve?: string;
  readonly renumber?: boolean;
  readonly edit?: boolean;
  readonly allowUnrelatedHistories?: boolean;
}

/** Lines of a summary. */
const MOST_LINES = 12;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Merge other branches into the current one, row by row and cell by cell. Where both ' +
          'changed the same, the merge rules of the table decide (dv table rules), or the merge ' +
          'stops: dv conflicts shows what is left, dv resolve settles it, dv commit ends it.',
      )
      .argument('[revision...]', 'what to merge')
      .option('-m, --message <text>', 'the message of the merge commit', collect)
      .option('-F, --file <file>', 'read the message from a file, or - for standard input')
      .option('--ff', 'fast-forward where possible (the default)')
      .option('--no-ff', 'make a merge commit even where a fast-forward would do')
      .option('--ff-only', 'fast-forward, or refuse')
      .option('--squash', 'stage what the merge brings, and make no merge commit of it')
      .option('--no-commit', 'stop before the commit')
      .option('--no-edit', 'take the message as it is (dv never asks)')
      .option('-n, --dry-run', 'say what would happen, and change nothing')
      .option('--resolve <rule>', 'decide what no rule of a table decides: ours, theirs, latest...')
      .option('--renumber', 'new integer keys for rows that both added under one')
      .option('--auto', 'a commit that every node makes alike; conflicts change nothing')
      .option('--allow-unrelated-histories', 'merge although there is no commit in common')
      .option('--continue', 'end the merge in progress, as dv commit does')
      .option('--abort', 'back to where the merge began');
    declareAsOf(command);
  },
  examples: [
    ['dv merge fix', 'bring the branch fix into this one'],
    ['dv merge --dry-run fix', 'see what would clash'],
    ['dv merge --resolve theirs import', 'where both changed a cell, take theirs'],
    ['dv merge --abort', 'give up a merge with conflicts'],
  ],
  async run(context, { operands, options }) {
    if (options.abort || options.continue) {
      if (options.abort && options.continue) {
        throw new DvError('bad-option', "'--abort' and '--continue' exclude each other");
      }
      if (operands.length > 0) {
        const flag = options.abort ? '--abort' : '--continue';
        throw new DvError('bad-option', `'${flag}' takes no revision`);
      }
      const repo = await openRepositoryOf(context);
      return options.abort ? abort(context, repo) : conclude(context, repo, options);
    }
    if (operands.length === 0) {
      throw new DvError('bad-option', 'there is nothing to merge', { hint: 'dv merge BRANCH' });
    }
    const request = await readRequest(context, options, operands.length);
    const repo = await openAsOf(context, options);
    return showMerge(context, await merge(repo, operands, request));
  },
};

/** @returns the exit status */
export function showMerge(context: Context, result: MergeResult): number {
  if (context.json) context.out.json(resultAsJson(result));
  else if (!context.quiet) context.out.write(renderResult(context, result));
  if (result.outcome === 'conflicts' && !context.json) context.note(nextStep(result));
  return result.outcome === 'conflicts' ? 1 : 0;
}

function nextStep({ dryRun, reused }: MergeResult): string {
  if (dryRun) return 'nothing was changed';
  if (reused?.left === 0)
    return 'hint: dv diff --cached shows what was settled, dv commit ends the merge';
  return 'hint: dv conflicts shows them, dv resolve settles them, dv commit ends the merge';
}

async function readRequest(
  context: Context,
  options: Options,
  count: number,
): Promise<MergeVerbOptions> {
  const { squash, dryRun, auto, renumber, commit: commits } = options;
  if (options.ffOnly && options.ff === false) {
    throw new DvError('bad-option', "'--ff-only' and '--no-ff' exclude each other");
  }
  if (squash && options.ff === false) {
    throw new DvError('bad-option', "'--squash' and '--no-ff' exclude each other");
  }
  if (auto && (squash || commits === false || renumber || options.resolve || count > 1)) {
    const [first] = [
      squash && '--squash',
      commits === false && '--no-commit',
      renumber && '--renumber',
      options.resolve && '--resolve',
      'several revisions',
    ].filter(Boolean);
    throw new DvError('bad-option', `'--auto' does not go with ${first}`, {
      hint: 'an automatic merge depends on the two heads alone',
    });
  }
  return {
    squash,
    dryRun,
    auto,
    renumber,
    commit: commits,
    fastForward: options.ffOnly ? 'only' : options.ff === false ? 'no' : undefined,
    resolve: readRule(options.resolve),
    message: await readMessage(context, options),
    allowUnrelated: options.allowUnrelatedHistories,
    summary: context.json || !context.quiet,
  };
}

/** @throws DvError `unknown-rule` */
export function readRule(text: string | undefined): ColumnRule | undefined {
  if (text === undefined) return undefined;
  if (COLUMN_RULES.includes(text as ColumnRule)) return text as ColumnRule;
  throw new DvError('unknown-rule', `'${text}' is no merge rule`, {
    hint: `one of ${COLUMN_RULES.join(', ')}`,
  });
}

async function abort(context: Context, repo: Repository): Promise<number> {
  const { files } = await abortMerge(repo);
  if (context.json) context.out.json({ outcome: 'aborted', files });
  else context.note('back to where the merge began');
  return 0;
}

async function conclude(context: Context, repo: Repository, options: Options): Promise<number> {
  const message = await readMessage(context, options);
  await requireOwnMerge(repo);
  const result = await commit(repo, { message });
  if (context.json) context.out.json({ outcome: 'merged', commit: result.commit });
  else if (!context.quiet) {
    context.out.line(`Merge made: ${context.paint.hash(shortHash(result.commit!))}`);
    context.out.write(renderSummary(result, context, MOST_LINES));
  }
  return 0;
}

function resultAsJson(result: MergeResult): unknown {
  const { outcome, commit: hash, tables, files, conflicts, resolved, renumbered, dryRun } = result;
  return {
    outcome,
    commit: hash,
    tables,
    ...(files.length > 0 && { files }),
    conflicts: conflicts.map(conflictAsJson),
    ...(resolved && { resolved }),
    ...(renumbered.length > 0 && { renumbered }),
    ...(result.reused && { reused: reusedAsJson(result.reused) }),
    ...(dryRun && { dryRun }),
  };
}

function renderResult(context: Context, result: MergeResult): string {
  const { outcome, conflicts } = result;
  if (outcome === 'up-to-date') return 'Already up to date.\n';
  const hash = context.paint.hash(shortHash(result.commit));
  const heads: Readonly<Record<typeof outcome, string>> = {
    'fast-forward': result.dryRun ? 'Would fast-forward\n' : `Fast-forward to ${hash}\n`,
    merged: result.dryRun ? 'Would merge without conflicts\n' : `Merge made: ${hash}\n`,
    staged: result.dryRun ? 'Would stage\n' : 'Merged and staged; not committed\n',
    conflicts: renderConflictSummary(conflicts, context),
  };
  const rest = [
    renderSummary(result, context, MOST_LINES),
    renderResolvedCount(result.resolved, outcome === 'merged' && !result.dryRun, context),
    renderRenumbered(result.renumbered, context),
    renderReused(result.reused),
  ];
  return heads[outcome] + rest.join('');
}

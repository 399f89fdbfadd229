/**
 * `dv commit`: what is staged becomes a commit.
 *
 * JSON: `{"commit","branch","tables":[{table,added,removed,modified}]}`, with `files`
 * (`{file,change}`) when plain files changed; `commit` is null where `--skip-empty` found
 * nothing, `branch` where HEAD is on none.
 */
import { type AskForMessage, type CommitResult, commit } from '../../porcelain/commit.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { status } from '../../porcelain/status.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import {
  asComment,
  canEdit,
  collect,
  editMessage,
  type MessageFlags,
  readMessage,
} from '../message.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderFindings } from '../render/added-table.ts';
import { shortHash, subjectOf } from '../render/commit-parts.ts';
import { NO_PAINT } from '../render/paint.ts';
import { renderSummary } from '../render/row-counts.ts';
import { renderStatus } from '../render/status.ts';

interface Options extends MessageFlags {
  readonly all?: boolean;
  readonly amend?: boolean;
  /** false: `--no-edit`. */
  readonly edit?: boolean;
  readonly allowEmpty?: boolean;
  readonly skipEmpty?: boolean;
  readonly author?: string;
  readonly date?: string;
}

/** Lines below the head of the result. */
const MOST_LINES = 12;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .option('-m, --message <text>', 'the message; each further one is a paragraph', collect)
      .option('-F, --file <file>', 'read the message from a file, or - for standard input')
      .option('-a, --all', 'stage every tracked file that changed or is gone first')
      .option('--amend', 'replace the last commit')
      .option('--no-edit', 'with --amend: keep its message')
      .option('--allow-empty', 'make a commit although nothing changed')
      .option('--skip-empty', 'do nothing, successfully, when nothing changed')
      .option('--author <author>', 'who wrote it: "Name <email>"')
      .option('--date <date>', 'when it was written');
  },
  examples: [
    ['dv commit -m "Correct the population of Bern"', 'commit what is staged'],
    ['dv commit -am "Nightly snapshot" --skip-empty', 'all that changed, if anything did'],
  ],
  async run(context, { options }) {
    const given = await readMessage(context, options);
    const repo = await openRepositoryOf(context);
    const { all, amend, allowEmpty, skipEmpty, author, date } = options;
    const isAsked = given === undefined && canEdit(context) && options.edit !== false;
    const message = isAsked ? askInEditor(context, repo) : given;
    const request = { message, all, amend, allowEmpty, skipEmpty, author, date };
    const result = await commit(repo, request);
    if (context.json) context.out.json(resultAsJson(result));
    else if (!context.quiet) context.out.write(renderResult(context, result));
    return 0;
  },
};

function askInEditor(context: Context, repo: Repository): AskForMessage {
  return async (previous) => {
    const plain = { ...context, paint: NO_PAINT };
    const state = renderStatus(await status(repo, { untracked: 'no' }), plain, repo);
    const draft = [
      ...(previous === undefined ? [] : [previous]),
      '',
      "# Write the message of the commit. Lines that begin with '#' are left out, and an",
      '# empty message ends dv without a commit.',
      '#',
      asComment(state),
      '',
    ];
    return editMessage(context, repo, 'COMMIT_EDITMSG', draft.join('\n'));
  };
}

function resultAsJson({ commit, branch, tables, files }: CommitResult): unknown {
  return { commit, branch, tables, ...(files.length === 0 ? {} : { files }) };
}

function renderResult(context: Context, result: CommitResult): string {
  if (result.commit === null) return 'nothing to commit\n';
  const findings = result.staged.flatMap((added) => {
    const lines = renderFindings(added, context);
    return lines.length === 0 ? [] : [`${context.shownLine(added.table)}:`, ...lines];
  });
  const { paint, shownLine } = context;
  const place = result.branch === null ? 'detached HEAD' : shownLine(result.branch);
  const root = result.isRoot ? ' (root-commit)' : '';
  const subject = shownLine(subjectOf(result.message));
  const head = `[${place}${root} ${paint.hash(shortHash(result.commit))}] ${subject}\n`;
  const staged = findings.map((line) => `${line}\n`).join('');
  return staged + head + renderSummary(result, context, MOST_LINES);
}

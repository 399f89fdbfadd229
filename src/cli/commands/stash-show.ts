/** `dv stash show [STASH]`: what it changed, as rows counted, or with -p as a diff. */
import { readCommit } from '../../model/object-reader.ts';
import { diffCommit } from '../../porcelain/diff.ts';
import { commitSummary } from '../../porcelain/log.ts';
import { findStash } from '../../porcelain/stash.ts';
import type { CommandModule } from '../command.ts';
import { type DiffFlags, declareDiffOptions, readDiffView } from '../diff-options.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderDiffView } from '../render/diff-view.ts';
import { renderSummary } from '../render/row-counts.ts';
import { writeTexts } from '../write-output.ts';

interface Options extends DiffFlags {
  readonly patch?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Show what was put aside: how many rows of each table, or with -p the rows.')
      .argument('[stash]', 'stash@{N} or N; default the newest')
      .option('-p, --patch', 'the rows');
    declareDiffOptions(command);
  },
  async run(context, { operands: [stash], options }) {
    const repo = await openRepositoryOf(context);
    const { commit: hash } = await findStash(repo, stash);
    const commit = await readCommit(repo.store, hash);
    if (!options.patch && !context.json) {
      context.out.write(renderSummary(await commitSummary(repo, commit), context));
      return 0;
    }
    const view = readDiffView(options, context);
    const { paint, json, environment } = context;
    const width = context.isTTY ? context.width : undefined;
    const result = await diffCommit(repo, commit, view.filter);
    const style = { view, json, title: hash, report: environment.report, paint, width };
    await writeTexts(context, renderDiffView(result, style, { different: false }));
    return 0;
  },
};

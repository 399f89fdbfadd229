/**
 * `dv pull [REMOTE] [REFSPEC...]`.
 *
 * JSON: first what `dv fetch` gives, then what `dv merge` or `dv rebase` gives. Exit status 1:
 * conflicts.
 */
import { DvError } from '../../errors.ts';
import { type PullOptions, pull } from '../../porcelain/pull.ts';
import type { CommandModule } from '../command.ts';
import { parseDepth } from '../depth.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderFetched } from '../render/moved-refs.ts';
import { showSequence } from '../sequence-command.ts';
import { fetchAsJson } from './fetch.ts';
import { readRule, showMerge } from './merge.ts';

interface Options {
  /** false: `--no-ff`. */
  readonly ff?: boolean;
  readonly ffOnly?: boolean;
  /** false: `--no-rebase`. */
  readonly rebase?: boolean;
  readonly squash?: boolean;
  readonly resolve?: string;
  readonly renumber?: boolean;
  readonly prune?: boolean;
  readonly depth?: number;
  readonly unshallow?: boolean;
  readonly tags?: boolean;
  readonly allowUnrelatedHistories?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Fetch from a remote and merge what came into the current branch, row by row, by the ' +
          'merge rules of the tables; or with --rebase make the commits of the branch again on ' +
          'top of it.',
      )
      .argument('[remote]', 'a remote, a URL or a path; default: what the branch follows')
      .argument('[refspec...]', 'what to merge; default: what the branch follows')
      .option('-r, --rebase', 'make the commits of the branch again on top')
      .option('--no-rebase', 'merge, whatever pull.rebase says')
      .option('--ff', 'fast-forward where possible (the default)')
      .option('--no-ff', 'make a merge commit even where a fast-forward would do')
      .option('--ff-only', 'fast-forward, or refuse')
      .option('--squash', 'stage what the merge brings, and make no merge commit of it')
      .option('--resolve <rule>', 'decide what no rule of a table decides: ours, theirs, latest...')
      .option('--renumber', 'new integer keys for rows that both added under one')
      .option('--allow-unrelated-histories', 'merge although there is no commit in common')
      .option('-p, --prune', 'forget branches that the remote does not have any more')
      .option('--depth <commits>', 'only so many commits', parseDepth)
      .option('--unshallow', 'bring the commits that a shallow clone left out')
      .option('-t, --tags', 'all tags')
      .option('--no-tags', 'no tags');
  },
  examples: [
    ['dv pull', 'bring the branch up to date'],
    ['dv pull --ff-only', 'the same, and never merge'],
    ['dv pull --rebase', 'put your own commits on top'],
  ],
  async run(context, { operands: [remote, ...refspecs], options }) {
    if (options.ffOnly && (options.ff === false || options.rebase)) {
      const other = options.rebase ? '--rebase' : '--no-ff';
      throw new DvError('bad-option', `'--ff-only' and '${other}' exclude each other`);
    }
    const { ff, ffOnly, tags, resolve, allowUnrelatedHistories, ...rest } = options;
    const request: PullOptions = {
      ...rest,
      remote,
      refspecs,
      resolve: readRule(resolve),
      allowUnrelated: allowUnrelatedHistories,
      fastForward: ffOnly ? 'only' : ff === false ? 'no' : undefined,
      ...(tags !== undefined && { tags: tags ? 'all' : 'none' }),
    };
    const repo = await openRepositoryOf(context);
    const result = await pull(repo, request);
    if (context.json) context.out.json(fetchAsJson(result.fetched));
    else {
      const text = renderFetched(result.fetched, context);
      if (text !== '') context.note(text);
    }
    return result.kind === 'merge'
      ? showMerge(context, result.merge)
      : showSequence(context, repo, 'rebase', result.rebase);
  },
};

/**
 * `dv fetch [REMOTE] [REFSPEC...]`.
 *
 * JSON, one a remote: `{"remote","url","refs":[{source,target,old,hash,outcome,forMerge}],
 * "chunks","bytes"}`; `outcome` is `new`, `updated`, `forced`, `up-to-date`, `rejected`,
 * `current` or `deleted`.
 */
import { DvError } from '../../errors.ts';
import { type FetchOptions, type FetchResult, fetch, rejection } from '../../porcelain/fetch.ts';
import type { CommandModule } from '../command.ts';
import { parseDepth } from '../depth.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderFetched } from '../render/moved-refs.ts';

interface Options {
  readonly all?: boolean;
  /** false: `--no-prune`. */
  readonly prune?: boolean;
  readonly depth?: number;
  readonly unshallow?: boolean;
  /** false: `--no-tags`. */
  readonly tags?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Bring what a remote has and this repository has not: commits, tables, rows. Branches ' +
          'here stay where they are; origin/main is where main of origin was. A fetch that is ' +
          'cut keeps what came: run again, it goes on.',
      )
      .argument('[remote]', 'a remote, a URL or a path; default: what the branch follows')
      .argument('[refspec...]', 'branches and tags, or SOURCE:TARGET; default: all branches')
      .option('--all', 'from every remote')
      .option('-p, --prune', 'forget branches that the remote does not have any more')
      .option('--no-prune', 'keep them')
      .option('--depth <commits>', 'only so many commits of each branch', parseDepth)
      .option('--unshallow', 'bring the commits that a shallow clone left out')
      .option('-t, --tags', 'all tags; else those of the commits that come')
      .option('--no-tags', 'no tags')
      .option('-f, --force', 'move refs here even where that loses commits')
      .option('-n, --dry-run', 'say what would move, and bring nothing');
  },
  examples: [
    ['dv fetch', 'bring what is new'],
    ['dv fetch --prune', 'and forget branches that are gone'],
    ['dv fetch origin main', 'one branch'],
    ['dv fetch --unshallow', 'the whole history of a shallow clone'],
  ],
  async run(context, { operands: [remote, ...refspecs], options }) {
    if (options.all && remote !== undefined) {
      throw new DvError('bad-option', "'--all' names every remote, so name none");
    }
    if (options.unshallow && options.depth !== undefined) {
      throw new DvError('bad-option', "'--unshallow' and '--depth' exclude each other");
    }
    const repo = await openRepositoryOf(context);
    const { tags, ...rest } = options;
    const request: FetchOptions = {
      ...rest,
      remote,
      refspecs,
      ...(tags !== undefined && { tags: tags ? 'all' : 'none' }),
    };
    const results = await fetch(repo, request);
    for (const result of results) {
      if (context.json) context.out.json(fetchAsJson(result));
      else if (!context.quiet) {
        const text = renderFetched(result, context);
        if (text !== '') context.note(text);
      }
    }
    const refused = rejection(results);
    if (refused !== undefined) throw refused;
    return 0;
  },
};

export function fetchAsJson({ remote, url, refs, chunks, bytes }: FetchResult): unknown {
  return { remote, url, refs, chunks, bytes };
}

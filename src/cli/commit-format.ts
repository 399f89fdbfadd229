/** The options of `log` and `show` that say how a commit is written. */
import type { Command } from 'commander';
import { DvError } from '../errors.ts';
import { readDecorations } from '../porcelain/decorations.ts';
import type { Repository } from '../porcelain/repository.ts';
import type { Context } from './context.ts';
import { COMMIT_FORMATS, type CommitStyle } from './render/commit-text.ts';

export interface FormatFlags {
  readonly oneline?: boolean;
  readonly format?: string;
  readonly pretty?: string;
  readonly abbrevCommit?: boolean;
  readonly decorate?: boolean;
  readonly graph?: boolean;
}

/** What a graph of a few branches takes of a line. */
const GRAPH_COLUMNS = 10;

export function declareCommitFormat(command: Command): void {
  command
    .option('--oneline', 'a line for each commit')
    .option('--pretty <format>', `${COMMIT_FORMATS.join(', ')}, or such as "%h %an: %s"`)
    .option('--abbrev-commit', 'short hashes')
    .option('--decorate', 'name branches and tags behind the commits (as on a terminal)')
    .option('--no-decorate', 'name none');
}

/** @throws DvError `bad-option` */
export async function styleOf(
  context: Context,
  repo: Repository,
  flags: FormatFlags,
): Promise<CommitStyle> {
  const format = readFormat(flags);
  const asked = typeof format !== 'string' && /%[dD]/.test(format.template);
  const decorated = flags.decorate ?? (context.isTTY || asked);
  return {
    format,
    context,
    decorations: decorated ? await readDecorations(repo) : undefined,
    abbreviate: flags.abbrevCommit,
    width: context.isTTY ? context.width - (flags.graph ? GRAPH_COLUMNS : 0) : undefined,
  };
}

function readFormat({ oneline, format, pretty }: FormatFlags): CommitStyle['format'] {
  const text = format ?? pretty;
  if (text === undefined) return oneline ? 'oneline' : 'medium';
  const preset = COMMIT_FORMATS.find((name) => name === text);
  if (preset !== undefined) return preset;
  const template = /^t?format:/.test(text) ? text.slice(text.indexOf(':') + 1) : text;
  if (template !== text || template.includes('%')) return { template };
  throw new DvError('bad-option', `'${text}' is no format of commits`, {
    hint: `${COMMIT_FORMATS.join(', ')}, or a template such as "%h %an: %s"`,
  });
}

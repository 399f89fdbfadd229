/**
 * `dv snapshot FILE... --remote URL --branch B`.
 *
 * JSON: `{"outcome","url","branch","commit","tables":[{table,added,removed,modified}],"races",
 * "bytes"}`; `outcome` is `pushed` or `unchanged`. Exit status 0 for both; 3 and more: refused.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DvError } from '../../errors.ts';
import { type SnapshotResult, snapshot } from '../../porcelain/snapshot.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { declareImportOptions, type ImportFlags, readImportOptions } from '../import-options.ts';
import { collect, type MessageFlags, readMessage } from '../message.ts';
import { shortHash } from '../render/commit-parts.ts';
import { renderSummary } from '../render/row-counts.ts';

interface Options extends MessageFlags, ImportFlags {
  readonly remote?: string;
  readonly branch?: string;
}

/** Lines of a summary. */
const MOST_LINES = 12;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Commit files as they are to a branch of a remote, if they changed, without a clone: ' +
          'for pipelines. Nothing is left behind here. It may run twice, and at the same time ' +
          'elsewhere. DV_TOKEN says who you are, DV_REMOTE stands for --remote.',
      )
      .argument(
        '<file...>',
        'the files; each is the table of its name, from here or from the folder that holds them',
      )
      .option('--remote <url>', 'of a server, or a path (default: DV_REMOTE)')
      .option('--branch <name>', 'the branch; made if there is none (default: main)')
      .option('-m, --message <text>', 'the message of the commit', collect)
      .option('-F, --file <file>', 'read the message from a file, or - for standard input');
    declareImportOptions(command);
  },
  examples: [
    [
      'dv snapshot cities.csv --remote https://data.example.org/cities --branch main --key id -m Nightly',
      'commit and push the file, if it changed',
    ],
    ['dv snapshot --json cities.csv', 'the same to DV_REMOTE, for programs'],
  ],
  async run(context, { operands: files, options }) {
    const remote = options.remote ?? context.environment.variables.DV_REMOTE;
    if (!remote) {
      throw new DvError('bad-option', 'say where to: --remote URL, or DV_REMOTE', {
        hint: 'dv snapshot FILE --remote https://data.example.org/cities',
      });
    }
    const scratch = mkdtempSync(join(tmpdir(), 'dv-snapshot-'));
    context.atEnd(() => rmSync(scratch, { recursive: true, force: true }));
    const message = await readMessage(context, options);
    const result = await snapshot(context.cwd, files, context.environment, {
      ...readImportOptions(options),
      remote,
      branch: options.branch ?? 'main',
      scratch,
      ...(message !== undefined && { message }),
    });
    if (context.json) context.out.json(resultAsJson(result));
    else if (!context.quiet) context.out.write(render(context, result));
    return 0;
  },
};

function resultAsJson({ added: _, ...result }: SnapshotResult): unknown {
  return result;
}

function render(context: Context, result: SnapshotResult): string {
  const { outcome, branch, commit, url } = result;
  const at = commit === null ? '' : ` at ${context.paint.hash(shortHash(commit))}`;
  const where = context.shownLine(`${branch} of ${url}`);
  if (outcome === 'unchanged') return `unchanged: ${where} is${at}\n`;
  return `pushed to ${where}: now${at}\n${renderSummary(result, context, MOST_LINES)}`;
}

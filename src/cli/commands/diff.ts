/**
 * `dv diff`: what differs between the files and what is staged, what is staged and a
 * commit, two commits, or two files that are in no repository.
 *
 * JSON: a line a changed row, see render/diff-ndjson.ts; `--stat` is `{"tables":[...]}`.
 */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { DvError } from '../../errors.ts';
import type { FormatName } from '../../formats/contract.ts';
import { type DiffResult, diff, diffNamed } from '../../porcelain/diff.ts';
import { diffFiles } from '../../porcelain/diff-files.ts';
import { endsOf, splitRevisions } from '../../porcelain/revisions-and-paths.ts';
import { findWorktree } from '../../porcelain/worktree.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import {
  type DiffFlags,
  type DiffView,
  declareDiffOptions,
  readDiffView,
} from '../diff-options.ts';
import { declareKeyOptions, type ImportFlags, parseTableFormat } from '../import-options.ts';
import { type DiffViewOptions, renderDiffView } from '../render/diff-view.ts';
import { NO_PAINT } from '../render/paint.ts';
import { removedAtEnd, writeFileOf, writeTexts } from '../write-output.ts';

interface Options extends AsOfFlag, DiffFlags, Pick<ImportFlags, 'key' | 'type'> {
  readonly cached?: boolean;
  readonly staged?: boolean;
  readonly index: boolean;
  readonly inputFormat?: FormatName;
  readonly output?: string;
  readonly exitCode?: boolean;
}

const STATUS_DIFFERENT = 1;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Show what differs: between what is staged and the files; with --cached, between HEAD ' +
          '(or a revision) and what is staged; with one revision, between it and the files; ' +
          'with two, or A..B, between them. With --quiet nothing is written, and the exit ' +
          'status tells as with --exit-code. Two tables of any name are compared as REV:TABLE.',
      )
      .argument('[revision...]', 'at most two; what follows, or stands behind --, is a path')
      .option('--cached', 'what is staged, instead of the files')
      .option('--staged', 'the same as --cached')
      .option('-o, --output <file>', 'write to a file; its name may tell the format')
      .option('--exit-code', 'exit with 1 when something differs')
      .optionsGroup('Two files in no repository:')
      .option('--no-index', 'compare two files: dv diff --no-index OLD NEW')
      .option(
        '--input-format <name>',
        'their format, where the names do not tell',
        parseTableFormat,
      );
    declareKeyOptions(command);
    declareAsOf(command);
    declareDiffOptions(command);
  },
  examples: [
    ['dv diff', 'what dv add would stage'],
    ['dv diff --cached', 'what dv commit would commit'],
    ['dv diff HEAD~1 HEAD --stat', 'how much the last commit changed'],
    ['dv diff v1 v2 --where "from_price < to_price" -- shop.csv', 'what has become dearer'],
    ['dv diff v1:shop.csv main:prices.csv', 'two tables, whatever they are called'],
    ['dv diff main~7 main -o week.html', 'a page to send to somebody'],
    ['dv diff --no-index old.csv new.csv --key id', 'two files that are in no repository'],
  ],
  async run(context, invocation) {
    const { options } = invocation;
    const { output } = options;
    const view = readDiffView(options, context, output);
    const { result, title } = await findDifferences(context, invocation, view);
    const verdict = { different: false };
    const texts = renderDiffView(result, viewOptions(context, view, title, output), verdict);
    const silent = context.quiet && !context.json && output === undefined;
    if (silent) await readUntil(texts, () => verdict.different);
    else if (output === undefined) await writeTexts(context, texts);
    else {
      await writeFileOf(context, output, texts);
      if (context.json) context.out.json({ file: output, different: verdict.different });
    }
    return verdict.different && (options.exitCode || silent) ? STATUS_DIFFERENT : 0;
  },
};

function viewOptions(
  context: Context,
  view: DiffView,
  title: string,
  output: string | undefined,
): DiffViewOptions {
  const { report } = context.environment;
  const json = context.json || view.format === 'ndjson';
  const onTerminal = output === undefined && context.isTTY;
  return {
    view,
    json,
    title,
    report,
    paint: output === undefined ? context.paint : NO_PAINT,
    width: onTerminal ? context.width : undefined,
  };
}

async function readUntil(texts: AsyncIterable<string>, known: () => boolean): Promise<void> {
  for await (const _ of texts) if (known()) return;
}

interface Differences {
  readonly result: DiffResult;
  /** What is compared, in words. */
  readonly title: string;
}

async function findDifferences(
  context: Context,
  { operands, beforeDashes, options }: Invocation<Options>,
  view: DiffView,
): Promise<Differences> {
  const inNoRepository = operands.length === 2 && findWorktree(context.cwd) === undefined;
  if (options.index === false || (inNoRepository && areFiles(context, operands))) {
    return compareFiles(context, operands, options, view);
  }
  for (const name of ['key', 'type', 'inputFormat'] as const) {
    if (options[name] === undefined) continue;
    throw new DvError('bad-option', `'--${name.replace('F', '-f')}' goes with --no-index only`);
  }
  const repository = await openAsOf(context, options);
  if (operands.length === 2 && operands.every(namesTable)) {
    const title = operands.join(' → ');
    const name = view.format === 'text' ? title : undefined;
    const [from, to] = operands;
    return { result: await diffNamed(repository, from, to, { ...view.filter, name }), title };
  }
  const split = await splitRevisions(repository, operands, beforeDashes);
  const isThen = repository.asOf !== undefined && split.revisions.length === 0;
  const { revisions, paths } = isThen ? { ...split, revisions: ['HEAD'] } : split;
  const cached = options.cached ?? options.staged ?? false;
  const result = await diff(repository, { ...view.filter, revisions, paths, cached });
  return { result, title: titleOf(revisions, cached) };
}

/** `REV:TABLE`; a colon in `main@{2026-11-01 12:00}` is none. */
function namesTable(text: string): boolean {
  return text.replace(/@\{[^}]*\}/g, '').includes(':');
}

function areFiles({ cwd }: Context, operands: readonly string[]): boolean {
  return operands.every((name) => existsSync(resolve(cwd, name)));
}

function titleOf(revisions: readonly string[], cached: boolean): string {
  const ends = revisions.flatMap((text) => endsOf(text));
  if (ends.length === 2) return `${ends[0]} → ${ends[1]}`;
  if (cached) return `${ends[0] ?? 'HEAD'} → what is staged`;
  return `${ends[0] ?? 'what is staged'} → files`;
}

async function compareFiles(
  context: Context,
  operands: readonly string[],
  { key, type: types, inputFormat: format, cached, staged }: Options,
  view: DiffView,
): Promise<Differences> {
  const [from, to, ...more] = operands;
  if (to === undefined || more.length > 0) {
    throw new DvError('bad-option', 'dv diff --no-index compares two files', {
      hint: 'dv diff --no-index OLD.csv NEW.csv --key id',
    });
  }
  if (cached || staged) throw new DvError('bad-option', "'--cached' needs a repository");
  const title = `${from} → ${to}`;
  const forPeople = view.level !== 'names' && (view.format === 'text' || view.format === 'html');
  const result = await diffFiles(context.environment, from, to, {
    ...view.filter,
    name: forPeople ? title : undefined,
    key,
    types,
    format,
    cwd: context.cwd,
    temporaryDirectory: tmpdir(),
    onTemporary: removedAtEnd(context),
  });
  context.atEnd(() => result.close());
  return { result, title };
}

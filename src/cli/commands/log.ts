/**
 * `dv log`: commits, newest first, as they are found.
 *
 * JSON, one a line: `{"commit","parents","author":{"name","email"},"time","message"}`, and
 * with --stat `tables` (`{table,added,removed,modified}`) and, when plain files changed,
 * `files`. `time` is when the author wrote it. `"shallow":true`: older commits are not here.
 */
import { type Command, Option } from 'commander';
import { DvError } from '../../errors.ts';
import { parseDate } from '../../porcelain/dates.ts';
import { type LogEntry, type LogOptions, log } from '../../porcelain/log.ts';
import { type Repository, tableNameOf } from '../../porcelain/repository.ts';
import { splitRevisions } from '../../porcelain/revisions-and-paths.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import { declareCommitFormat, type FormatFlags, styleOf } from '../commit-format.ts';
import { commitAsJson } from '../commit-json.ts';
import type { Context } from '../context.ts';
import { collect } from '../message.ts';
import { pacedFlush } from '../paced-flush.ts';
import type { CommitStyle } from '../render/commit-text.ts';
import { LogText } from '../render/log-text.ts';

interface Options extends AsOfFlag, FormatFlags {
  readonly stat?: boolean;
  readonly maxCount?: number;
  readonly skip?: number;
  readonly since?: string;
  readonly after?: string;
  readonly until?: string;
  readonly before?: string;
  readonly author?: readonly string[];
  readonly grep?: readonly string[];
  readonly regexpIgnoreCase?: boolean;
  readonly all?: boolean;
  readonly firstParent?: boolean;
  readonly reverse?: boolean;
  readonly resolved?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .argument('[revisions-and-tables...]', 'REV, A..B, ^REV; then tables, perhaps behind --')
      .option('-n, --max-count <number>', 'so many commits; -5 does it, too', parseCount)
      .option('--skip <number>', 'leave out the first so many', parseCount)
      .option('--since <date>', 'not older: 2026-11-01, yesterday, "2 weeks ago"')
      .option('--until <date>', 'not newer')
      .option('--after <date>', 'as --since')
      .option('--before <date>', 'as --until')
      .option('--author <pattern>', 'whose author matches; may be repeated', collect)
      .option('--grep <pattern>', 'whose message matches; may be repeated', collect)
      .option('-i, --regexp-ignore-case', 'capital letters are as small ones in patterns')
      .option('--all', 'from every branch and tag')
      .option('--first-parent', 'follow only the first parent of merges')
      .option('--reverse', 'oldest first')
      .option('--graph', 'draw how the commits are connected')
      .option('--resolved', 'only merges in which rules decided something, with what')
      .option('--stat', 'with the rows that changed in each table');
    declareCommitFormat(command);
    command.option('--format <format>', 'as --pretty');
    declareDigits(command);
    declareAsOf(command);
  },
  examples: [
    ['dv log --oneline --graph --all', 'everything at a glance'],
    ['dv log --stat -3', 'the last three commits, with what they changed'],
    ['dv log --since "2 weeks ago" -- cities.csv', 'who changed a table lately'],
    ['dv log main..fix', 'what fix has that main has not'],
  ],
  async run(context, { operands, beforeDashes, options }) {
    const repo = await openAsOf(context, options);
    const { revisions, paths } = await splitLogOperands(repo, operands, beforeDashes);
    const now = context.environment.now();
    const request: LogOptions = {
      revisions,
      all: options.all,
      limit: options.maxCount,
      skip: options.skip,
      since: readDate(options.since ?? options.after, '--since', now),
      until: readDate(options.until ?? options.before, '--until', now),
      author: options.author,
      grep: options.grep,
      ignoreCase: options.regexpIgnoreCase,
      firstParent: options.firstParent,
      tables: paths.map((path) => tableNameOf(repo, path)),
      stat: options.stat,
      resolved: options.resolved,
      graph: options.graph && !context.json,
    };
    if (options.graph && options.reverse) {
      throw new DvError('bad-option', "'--graph' and '--reverse' exclude each other");
    }
    const entries = log(repo, request);
    const inOrder = options.reverse ? reversed(entries) : entries;
    if (context.json) await writeJson(context, inOrder, repo);
    else {
      const style = { ...(await styleOf(context, repo, options)), resolved: options.resolved };
      await writeText(context, inOrder, style, options, repo);
    }
    return 0;
  },
};

/** `-5` and `-12` are `-n 5` and `-n 12`: each digit is a flag, and flags go together. */
function declareDigits(command: Command): void {
  let digits = '';
  for (const digit of '0123456789') {
    command.addOption(new Option(`-${digit}`).hideHelp());
    command.on(`option:${digit}`, () => {
      digits += digit;
      command.setOptionValue('maxCount', Number(digits));
    });
  }
}

export function parseCount(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new DvError('bad-option', `'${text}' is no whole number`);
}

/** @throws DvError `bad-date` */
function readDate(text: string | undefined, flag: string, now: number): number | undefined {
  if (text === undefined) return undefined;
  const time = parseDate(text, now);
  if (time !== undefined) return time;
  throw new DvError('bad-date', `"${text}" is not a date`, {
    hint: `${flag} 2026-11-01, ${flag} yesterday or ${flag} "2 weeks ago"`,
  });
}

/** `^REV` is a revision whatever there is of that name. */
async function splitLogOperands(
  repo: Repository,
  words: readonly string[],
  beforeDashes: number | undefined,
): Promise<{ revisions: readonly string[]; paths: readonly string[] }> {
  if (beforeDashes !== undefined) return splitRevisions(repo, words, beforeDashes);
  const left = words.filter((word) => !word.startsWith('^'));
  const { revisions, paths } = await splitRevisions(repo, left, undefined);
  return { revisions: [...revisions, ...words.filter((word) => word.startsWith('^'))], paths };
}

async function* reversed(entries: AsyncIterable<LogEntry>): AsyncGenerator<LogEntry> {
  const all: LogEntry[] = [];
  for await (const entry of entries) all.push(entry);
  yield* all.reverse();
}

async function writeJson(
  context: Context,
  entries: AsyncIterable<LogEntry>,
  { store }: Repository,
): Promise<void> {
  const flush = pacedFlush(context);
  for await (const { hash, commit, summary } of entries) {
    const shallow = store.shallow?.has(hash) ? { shallow: true } : {};
    context.out.json({ ...(commitAsJson(hash, commit, summary) as object), ...shallow });
    await flush();
  }
}

async function writeText(
  context: Context,
  entries: AsyncIterable<LogEntry>,
  style: CommitStyle,
  { graph = false }: Options,
  { store }: Repository,
): Promise<void> {
  const flush = pacedFlush(context);
  const text = new LogText(style, graph);
  let isCut = false;
  for await (const entry of entries) {
    context.out.write(text.next(entry));
    await flush();
    isCut ||= store.shallow?.has(entry.hash) ?? false;
  }
  if (isCut) context.note('older commits are not here: dv fetch --unshallow brings them');
}

/**
 * `dv ingest TABLE`: records of a file, a pipe or a topic become commits. With --json a line
 * `{"type":"progress",...}` about once a second, and `{"type":"done",...}` at the end.
 */
import { DvError } from '../../errors.ts';
import type { IngestProgress } from '../../live/ingest/ingest.ts';
import { readConfig, resolveAuthor } from '../../porcelain/config.ts';
import {
  INGEST_FORMATS,
  type IngestFormat,
  type IngestOptions,
  type IngestResult,
  type IngestTarget,
  ingest,
  localTarget,
} from '../../porcelain/ingest.ts';
import { remoteTarget } from '../../porcelain/remote-target.ts';
import type { ColumnType } from '../../tuple/schema.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { collectNames, declareKeyOptions } from '../import-options.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { formatCount } from '../render/count.ts';

/** As the verb has them, but for what is said otherwise here. */
type Taken =
  | 'table'
  | 'types'
  | 'dryRun'
  | 'tail'
  | 'once'
  | 'fromEarliest'
  | 'signal'
  | 'report'
  | 'note';

interface Options extends Omit<IngestOptions, Taken> {
  readonly remote?: string;
  readonly type?: ReadonlyMap<string, ColumnType>;
  readonly onBad?: 'stop' | 'dead-letter';
  readonly dryRun?: boolean;
  readonly tail?: boolean;
  readonly once?: boolean;
  readonly fromEarliest?: boolean;
}

const DEFAULTS = {
  maxRows: 5000,
  maxBytes: 4 * 1024 * 1024,
  maxRecord: 16 * 1024 * 1024,
  every: 200,
  retryFor: 60_000,
} as const;

/** Time between two progress lines with --json. */
const TOLD_EVERY_MS = 1000;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Take a stream of records into a table, in commits of many rows. A record is a row; one ' +
          'with the key of a row that is there replaces it. Commits keep how far the stream has ' +
          'been read, so that every record is in exactly once, whatever is killed when.',
      )
      .argument('<table>', 'the table; made by the first record')
      .option('--from <source>', "a file, '-' for standard input, kafka:HOST:PORT/TOPIC", '-')
      .option('-b, --branch <name>', 'where commits go (default: the current branch)')
      .option(
        '--remote <url>',
        'write to a repository that a dv server serves; a branch that it lacks is made',
      );
    declareKeyOptions(command);
    declareReading(command);
    declareWriting(command);
  },
  examples: [
    ['dv ingest orders --key id < orders.ndjson', 'rows from standard input'],
    ['dv ingest visits --from access.ndjson --tail', 'follow a file that grows and is rotated'],
    ['dv ingest orders --from kafka:localhost:9092/orders --key id', 'a topic, until stopped'],
    [
      'dv ingest customers --from kafka:localhost:9092/shop.customers --format debezium --key id',
      'the changes of a database, as Debezium writes them',
    ],
    ['dv ingest orders --from day.csv --key id --dead-letter bad.ndjson', 'bad records aside'],
  ],
  async run(context, { operands: [table, ...more], options }) {
    if (more.length > 0) throw new DvError('bad-option', 'dv ingest fills one table');
    const progress = new ToldProgress(context, table);
    const stop = new AbortController();
    const request = requestOf(context, table, options, progress, stop.signal);
    const target = await openTarget(context, request, options.remote);
    let isOver = false;
    // A signal's clean-up stops the stream and leaves the end to this run: what has been read
    // is written, the summary told, and dv ends with status 0.
    context.atEnd(() => {
      if (isOver) return undefined;
      stop.abort();
      return new Promise(() => undefined);
    });
    try {
      report(context, await ingest(target, request));
      await context.out.flush();
    } finally {
      isOver = true;
    }
    return undefined;
  },
};

function declareReading(command: Parameters<CommandModule['declare']>[0]): void {
  command
    .option('--format <name>', `${INGEST_FORMATS.join(', ')} (default: by the name)`, parseFormat)
    .option('--delimiter <character>', 'between the fields of CSV')
    .option('--op-field <name>', 'the field that says whether a record is a delete')
    .option('--delete-when <values>', "values of it that do (default: 'd,delete')", collectNames)
    .option('--delete-field <name>', 'a field that is true in a delete')
    .option('--tail', 'follow a file as it grows, through rotation')
    .option('--once', 'stop at the end that a topic has now')
    .option('--from-earliest', 'go on with the oldest record where the broker forgot some')
    .option('--sequence <field>', 'standard input: a number that grows, so that nothing is twice')
    .option('--source <name>', "the stream's name in commits")
    .option('--max-record <bytes>', 'larger records are bad', parseCount, DEFAULTS.maxRecord);
}

function declareWriting(command: Parameters<CommandModule['declare']>[0]): void {
  command
    .option('--max-rows <count>', 'rows in a commit, at most', parseCount, DEFAULTS.maxRows)
    .option('--max-bytes <count>', 'bytes in a commit, at most', parseCount, DEFAULTS.maxBytes)
    .option('--every <ms>', 'commit at least so often', parseCount, DEFAULTS.every)
    .option('--on-bad <what>', 'stop (the default), or dead-letter', parseOnBad)
    .option('--dead-letter <place>', 'where bad records go: a file, or kafka:HOST:PORT/TOPIC')
    .option('--drift <what>', 'a cell that does not fit: widen or refuse', parseDrift, 'widen')
    .option('-m, --message <text>', "the commits' message")
    .option('--retry-for <ms>', 'how long to try again', parseCount, DEFAULTS.retryFor)
    .option('--dry-run', 'read everything and write nothing');
}

function requestOf(
  context: Context,
  table: string,
  options: Options,
  progress: ToldProgress,
  signal: AbortSignal,
): IngestOptions {
  const { onBad, deadLetter, type, ...rest } = options;
  if (onBad === 'dead-letter' && deadLetter === undefined) {
    throw new DvError('bad-option', '--on-bad dead-letter needs a place for bad records', {
      hint: '--dead-letter FILE, or --dead-letter kafka:HOST:PORT/TOPIC',
    });
  }
  return {
    ...rest,
    table,
    types: type,
    deadLetter: onBad === 'stop' ? undefined : deadLetter,
    dryRun: options.dryRun === true,
    tail: options.tail === true,
    once: options.once === true,
    fromEarliest: options.fromEarliest === true,
    signal,
    report: (step) => progress.tell(step),
    note: (text) => context.note(text),
  };
}

async function openTarget(
  context: Context,
  request: IngestOptions,
  remote: string | undefined,
): Promise<IngestTarget> {
  const { environment, cwd } = context;
  if (remote !== undefined) {
    const config = readConfig(undefined, environment.userConfig);
    const author = resolveAuthor(environment.variables, config);
    return remoteTarget(environment, remote, request, { author, cwd });
  }
  const repository = await openRepositoryOf(context);
  const config = readConfig(repository.dotDir, environment.userConfig);
  return localTarget(repository, request, resolveAuthor(environment.variables, config));
}

/** Progress as it comes: a line of the terminal, or of JSON about once a second. */
class ToldProgress {
  readonly #context: Context;
  readonly #table: string;
  #next = 0;

  constructor(context: Context, table: string) {
    this.#context = context;
    this.#table = table;
  }

  tell(step: IngestProgress): void {
    const { environment, json, out } = this.#context;
    const { rows, commits, lag } = step;
    const behind = lag === undefined ? '' : `, ${lag.toLocaleString('en')} behind`;
    const detail = `${formatCount(commits, 'commits')}${behind}`;
    environment.report({ label: this.#table, done: rows, total: undefined, unit: 'rows', detail });
    if (!json || environment.now() < this.#next) return;
    this.#next = environment.now() + TOLD_EVERY_MS;
    out.json({ type: 'progress', table: this.#table, ...step });
    out.flush().catch(() => undefined); // told by the next line
  }
}

function report(context: Context, result: IngestResult): void {
  if (context.json) {
    context.out.json({ type: 'done', ...result });
    return;
  }
  const { rows, commits, dead, known, dryRun, table, branch } = result;
  const into = dryRun ? 'would go into' : 'into';
  const made = dryRun ? '' : ` in ${formatCount(commits, 'commits')}`;
  context.out.line(
    `${formatCount(rows, 'rows')} ${into} ${context.shown(table)} on ${context.shown(branch)}${made}`,
  );
  if (known > 0) context.out.line(`${formatCount(known, 'records')} were in already`);
  if (dead > 0) context.out.line(`${formatCount(dead, 'records')} put aside as bad`);
}

function parseFormat(text: string): IngestFormat {
  const format = INGEST_FORMATS.find((name) => name === text);
  if (format === undefined) throw notA('--format', text, INGEST_FORMATS.join(', '));
  return format;
}

function parseOnBad(text: string): 'stop' | 'dead-letter' {
  if (text !== 'stop' && text !== 'dead-letter') {
    throw notA('--on-bad', text, 'stop, dead-letter');
  }
  return text;
}

function parseDrift(text: string): 'widen' | 'refuse' {
  if (text !== 'widen' && text !== 'refuse') throw notA('--drift', text, 'widen, refuse');
  return text;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) {
    throw new DvError('bad-option', `"${text}" is no whole number above 0`);
  }
  return value;
}

function notA(option: string, text: string, known: string): DvError {
  return new DvError('bad-option', `${option} does not know '${text}'`, { hint: `use ${known}` });
}

/**
 * `dv watch --to kafka:HOST:PORT/PREFIX`: a feed into topics. Where it goes on is kept in the
 * topic PREFIX.cursor, or in the file that --cursor-file names.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DvError } from '../../errors.ts';
import type { FeedSource } from '../../live/contract.ts';
import { openKafka } from '../../live/kafka/client.ts';
import { isKafkaAddress, parseKafkaAddress } from '../../live/kafka/port.ts';
import type { ChangeShape } from '../../live/out/change-message.ts';
import { CursorTopic, formatMark, parseMark } from '../../live/out/cursor-topic.ts';
import { DEBEZIUM } from '../../live/out/debezium.ts';
import { type MarkPlace, publish } from '../../live/out/publish.ts';
import { UPSERT_JSON } from '../../live/out/upsert-json.ts';
import { currentBranch } from '../../porcelain/branch.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { resolveBeginning } from '../../porcelain/watch.ts';
import type { Context } from '../context.ts';
import { repoName } from './message-lines.ts';
import type { WatchFlags } from './watch-options.ts';

const SHAPES: Readonly<Record<string, ChangeShape | undefined>> = {
  debezium: DEBEZIUM,
  upsert: UPSERT_JSON,
  commits: undefined,
};
const RETRY_FOR_MS = 300_000;
const KEEP_ALIVE_MS = 1 << 30;

export interface PublishScene {
  readonly source: FeedSource;
  readonly patterns: readonly string[];
  readonly flags: WatchFlags;
  /** undefined: there is none here. */
  readonly repo: Repository | undefined;
}

export async function publishWatch(
  context: Context,
  to: string,
  { source, patterns, flags, repo }: PublishScene,
): Promise<void> {
  const { environment, cwd } = context;
  const { format = 'debezium', table = [], where, once = false, exec } = flags;
  checkFlags(to, format, exec);
  const { brokers, name: prefix } = parseKafkaAddress(to);
  const shape = SHAPES[format];
  const branches = shape === undefined ? patterns : [await oneBranch(patterns, repo)];
  const port = await openKafka({ brokers, retryFor: RETRY_FOR_MS, now: environment.now });
  const stop = new AbortController();
  // Waiting for a feed, or for a broker that closed an idle connection, keeps no process alive.
  const alive = setInterval(() => undefined, KEEP_ALIVE_MS);
  context.atEnd(async () => {
    clearInterval(alive);
    stop.abort();
    await port.close();
  });
  const name = repoName(source.url);
  const mark =
    flags.cursorFile === undefined
      ? new CursorTopic(port, prefix, [name, ...branches, format].join(' '))
      : fileMark(resolve(cwd, flags.cursorFile));
  const since =
    flags.since === undefined
      ? undefined
      : await resolveBeginning(repo, flags.since, environment.now());
  await publish(source, port, mark, {
    ...{ repo: name, prefix, shape, patterns: branches, tables: table, where, since, once },
    signal: stop.signal,
    report: ({ commits, messages }) => {
      const detail = `${messages} messages`;
      environment.report({ label: prefix, done: commits, total: undefined, unit: 'rows', detail });
    },
  });
}

function checkFlags(to: string, format: string, exec: string | undefined): void {
  if (!isKafkaAddress(to)) {
    throw new DvError('bad-option', `--to '${to}' is no place that dv can send to`, {
      hint: '--to kafka:HOST:PORT/PREFIX',
    });
  }
  if (!Object.hasOwn(SHAPES, format)) {
    throw new DvError('bad-option', `--to does not send --format ${format}`, {
      hint: `one of ${Object.keys(SHAPES).join(', ')}`,
    });
  }
  if (exec !== undefined) throw new DvError('bad-option', '--to and --exec go apart');
}

/** Rows of several branches cannot be told apart by their keys. */
async function oneBranch(
  patterns: readonly string[],
  repo: Repository | undefined,
): Promise<string> {
  const current = repo === undefined ? 'main' : ((await currentBranch(repo)) ?? undefined);
  const [branch = current, ...more] = patterns;
  if (branch === undefined || more.length > 0 || /[*?[]/.test(branch)) {
    throw new DvError('bad-option', 'the rows of one branch go into a topic, of which?', {
      hint: 'dv watch REMOTE BRANCH --to ...; --format commits takes patterns',
    });
  }
  return branch;
}

function fileMark(path: string): MarkPlace {
  return {
    async read() {
      try {
        return parseMark(readFileSync(path, 'utf8'), `'${path}'`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(mark) {
      const temporary = `${path}.new`;
      writeFileSync(temporary, formatMark(mark), { flush: true });
      renameSync(temporary, path);
    },
  };
}

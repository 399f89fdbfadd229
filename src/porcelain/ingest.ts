/**
 * `dv ingest`: a stream of records into commits of one table. Puts a source, a format and a
 * writer together; live/ingest does the work.
 */
import { open } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DvError } from '../errors.ts';
import type { RowWriter, SourceOffsets, WriteRequest } from '../live/contract.ts';
import type { CollectorOptions, RowCollector } from '../live/ingest/collector.ts';
import { CsvCollector, csvHeader } from '../live/ingest/csv-collector.ts';
import { DeadFile, type LetterFile } from '../live/ingest/dead-file.ts';
import { DebeziumCollector } from '../live/ingest/debezium-collector.ts';
import { Delivery } from '../live/ingest/delivery.ts';
import { badRecord, type IngestProgress, ingest as pump } from '../live/ingest/ingest.ts';
import { JsonCollector } from '../live/ingest/json-collector.ts';
import type { DeadLetters, RecordSource } from '../live/ingest/record.ts';
import { StreamSource } from '../live/ingest/stream-source.ts';
import { isKafkaAddress, parseKafkaAddress } from '../live/kafka/port.ts';
import { openTable } from '../live/open-table.ts';
import { createRowWriter } from '../live/writer.ts';
import { readHead } from '../model/head.ts';
import { BRANCH_PREFIX, checkTableName } from '../model/names.ts';
import { readCommit } from '../model/object-reader.ts';
import type { ColumnType, Schema } from '../tuple/schema.ts';
import type { Environment } from './environment.ts';
import { FileSource, readFirstLine } from './ingest-file.ts';
import type { Repository } from './repository.ts';
import { fileError } from './write-file.ts';

export const INGEST_FORMATS = ['ndjson', 'csv', 'debezium'] as const;
export type IngestFormat = (typeof INGEST_FORMATS)[number];

export interface IngestOptions {
  readonly table: string;
  /** `-`, a path, or `kafka:BROKERS/TOPIC`. */
  readonly from: string;
  /** Default: the current branch, also of a remote. */
  readonly branch?: string;
  readonly key?: readonly string[];
  readonly types?: ReadonlyMap<string, ColumnType>;
  readonly format?: IngestFormat;
  /** CSV: default a comma, or a tab for `.tsv`. */
  readonly delimiter?: string;
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly maxRecord: number;
  /** ms. */
  readonly every: number;
  readonly opField?: string;
  readonly deleteWhen?: readonly string[];
  readonly deleteField?: string;
  /** A path, or `kafka:BROKERS/TOPIC`; undefined: a bad record stops the stream. */
  readonly deadLetter?: string;
  readonly drift: 'widen' | 'refuse';
  readonly dryRun: boolean;
  readonly tail: boolean;
  /** A topic: ends at what is there. */
  readonly once: boolean;
  readonly fromEarliest: boolean;
  readonly sequence?: string;
  /** Name of the source in commits. */
  readonly source?: string;
  readonly message?: string;
  /** ms. */
  readonly retryFor: number;
  readonly signal: AbortSignal;
  readonly report: (progress: IngestProgress) => void;
  readonly note: (text: string) => void;
}

/** Where rows go, and what is known of the table there. */
export interface IngestTarget {
  readonly writer: RowWriter;
  readonly branch: string;
  /** undefined: there is none yet, or it is not known here. */
  readonly schema: Schema | undefined;
  readonly author: { readonly name: string; readonly email: string };
  readonly cwd: string;
  readonly env: Environment;
}

export interface IngestResult extends IngestProgress {
  readonly table: string;
  readonly branch: string;
  readonly source: string | undefined;
  readonly dryRun: boolean;
}

/** A branch of a repository of this machine. @throws DvError `bad-option` */
export async function localTarget(
  repo: Repository,
  options: Pick<IngestOptions, 'branch' | 'table' | 'note'>,
  author: { readonly name: string; readonly email: string },
): Promise<IngestTarget> {
  const { store, nodes, env, cwd } = repo;
  const head = await readHead(store);
  const current = head.kind === 'branch' ? head.branch : undefined;
  const branch = options.branch ?? current;
  if (branch === undefined) {
    throw new DvError('bad-option', 'HEAD is at no branch that rows could go to', {
      hint: '--branch NAME',
    });
  }
  const commit = await store.getRef(BRANCH_PREFIX + branch);
  const root = commit === undefined ? undefined : (await readCommit(nodes.objects, commit)).root;
  const table = root === undefined ? undefined : await openTable(nodes, root, options.table);
  if (branch === current && /\.[^./]+$/.test(options.table)) {
    options.note(
      `commits go to '${branch}', which is checked out; the file ${options.table} is left as it is: ` +
        `dv restore ${options.table} brings it up to date`,
    );
  }
  const writer = createRowWriter(store, { now: env.now, randomId: env.randomId });
  return { writer, branch, schema: table?.schema, author, cwd, env };
}

/** @throws DvError `bad-option`, `file-missing`, `missing-package`, what the stream is stopped by */
export async function ingest(target: IngestTarget, options: IngestOptions): Promise<IngestResult> {
  const { branch, env, author } = target;
  checkOptions(options);
  checkTable(target, options);
  const writer = options.dryRun ? new DryWriter(target.writer) : target.writer;
  const { source, collectors } = await openSource(target, options);
  const dead = await openDead(target, options);
  const { table, key, drift, retryFor, signal, sequence, report } = options;
  const delivery = new Delivery(writer, source, dead, {
    ...{ table, branch, author, drift, retryFor, signal },
    key: key ?? undefined,
    types: Object.fromEntries(options.types ?? []),
    message: (rows) =>
      options.message ??
      `ingest ${rows} ${rows === 1 ? 'row' : 'rows'} into ${table} from ${source.place}`,
    now: env.now,
    badRecord: (log, row, flaw) =>
      badRecord(source, log.partitions[row], log.positions[row], log.lines[row], flaw),
  });
  const parts = { source, collectors, delivery, dead, sequence, now: env.now, report, signal };
  try {
    const progress = await pump(parts, options);
    return { ...progress, table, branch, source: source.name, dryRun: options.dryRun };
  } finally {
    await writer.close();
  }
}

/** What would be wrong of every record is said before the first. */
function checkTable({ schema }: IngestTarget, { table, key }: IngestOptions): void {
  checkTableName(table);
  const own = schema?.key.map((place) => schema.columns[place].name);
  if (own === undefined || key === undefined || key === null) return;
  if (own.length === key.length && own.every((name, i) => name === key[i])) return;
  const what = own.length === 0 ? 'has no key' : `has the key ${own.join(', ')}`;
  throw new DvError('bad-option', `'${table}' ${what}, not "${key.join(',')}"`, {
    hint: 'leave --key out; dv add or dv import gives a table another key',
    data: { table, key: own },
  });
}

function checkOptions({ tail, from, sequence, format, opField, deleteField }: IngestOptions): void {
  const isFile = from !== '-' && !isKafkaAddress(from);
  if (tail && !isFile) throw new DvError('bad-option', '--tail follows a file: --from FILE');
  if (sequence !== undefined && from !== '-') {
    throw new DvError(
      'bad-option',
      '--sequence is for standard input; a file and a topic have offsets',
    );
  }
  if (opField !== undefined && deleteField !== undefined) {
    throw new DvError('bad-option', '--op-field and --delete-field both say what a delete is');
  }
  if (format === 'csv' && isKafkaAddress(from)) {
    throw new DvError('bad-option', 'the messages of a topic have no CSV header', {
      hint: '--format ndjson or debezium',
    });
  }
}

interface OpenedSource {
  readonly source: RecordSource;
  readonly collectors: readonly [RowCollector, RowCollector];
}

async function openSource(target: IngestTarget, options: IngestOptions): Promise<OpenedSource> {
  const { from, format = formatOf(from), maxRecord } = options;
  if (isKafkaAddress(from)) {
    return { source: await openTopic(target, options), collectors: pair(format, target, options) };
  }
  const lines = { quotes: format === 'csv', maxRecord };
  if (from === '-') return openStdin(target, options, lines, format);
  const path = isAbsolute(from) ? from : join(target.cwd, from);
  const header = format === 'csv' ? await awaitHeader(path, from, options) : undefined;
  const source = new FileSource({
    ...{ ...lines, path, header, tail: options.tail, note: options.note },
    place: `'${from}'`,
    name: options.source ?? `file:${from}`,
  });
  return { source, collectors: pair(format, target, options, header) };
}

async function openStdin(
  target: IngestTarget,
  options: IngestOptions,
  lines: { readonly quotes: boolean; readonly maxRecord: number },
  format: IngestFormat,
): Promise<OpenedSource> {
  const { stdin } = target.env;
  if (stdin === undefined) throw new DvError('bad-option', 'there is no standard input here');
  const name = options.sequence === undefined ? undefined : (options.source ?? 'stdin');
  const source = new StreamSource(stdin(), { ...lines, place: 'standard input', name });
  const header = format === 'csv' ? await source.takeFirstLine(options.signal) : undefined;
  if (format === 'csv' && header === undefined) {
    throw new DvError('file-empty', 'standard input is empty, it has no CSV header');
  }
  return { source, collectors: pair(format, target, options, header) };
}

async function openTopic(target: IngestTarget, options: IngestOptions): Promise<RecordSource> {
  const { brokers, name: topic } = parseKafkaAddress(options.from);
  const { openKafka } = await import('../live/kafka/client.ts');
  const { KafkaSource } = await import('../live/kafka/source.ts');
  const port = await openKafka({ brokers, retryFor: options.retryFor, now: target.env.now });
  const { once, fromEarliest, note, source } = options;
  return new KafkaSource(port, { topic, once, fromEarliest, note, name: source });
}

/** The first line of the file, for which a followed file may be waited. */
async function awaitHeader(
  path: string,
  place: string,
  options: IngestOptions,
): Promise<Uint8Array> {
  for (;;) {
    try {
      const header = await readFirstLine(path);
      if (header !== undefined) return header;
      if (!options.tail)
        throw new DvError('file-empty', `'${place}' is empty, it has no CSV header`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (!options.tail) throw new DvError('file-missing', `there is no file '${place}'`);
    }
    if (options.signal.aborted)
      throw new DvError('file-missing', `there is no file '${place}' yet`);
    await sleep(50);
  }
}

function formatOf(from: string): IngestFormat {
  return /\.(csv|tsv)$/i.test(from) ? 'csv' : 'ndjson';
}

function pair(
  format: IngestFormat,
  { schema }: IngestTarget,
  options: IngestOptions,
  header?: Uint8Array,
): readonly [RowCollector, RowCollector] {
  const { opField, deleteField, deleteWhen, maxBytes } = options;
  const field = opField ?? deleteField;
  const values = new Set(
    deleteWhen ?? (deleteField === undefined ? ['d', 'delete'] : ['true', '1']),
  );
  const isJson = ({ name, type }: { name: string; type: ColumnType }) =>
    (options.types?.get(name) ?? type) === 'json';
  const given: CollectorOptions = {
    maxBytes,
    key: options.key ?? schema?.key.map((column) => schema.columns[column].name),
    deletes: field === undefined ? undefined : { field, values },
    // Debezium writes JSON as a text that holds it, NDJSON as it is.
    rawJson: new Set(format === 'ndjson' ? schema?.columns.filter(isJson).map((c) => c.name) : []),
  };
  const one = (): RowCollector => {
    if (format === 'debezium') return new DebeziumCollector(given);
    if (format === 'ndjson') return new JsonCollector(given);
    const delimiter = delimiterOf(options);
    const place = options.from === '-' ? 'standard input' : `'${options.from}'`;
    const names = csvHeader(header ?? new Uint8Array(), delimiter, place);
    return new CsvCollector(names, delimiter, given);
  };
  return [one(), one()];
}

function delimiterOf({ delimiter, from }: IngestOptions): number {
  return (delimiter ?? (/\.tsv$/i.test(from) ? '\t' : ',')).charCodeAt(0);
}

async function openDead(
  target: IngestTarget,
  { deadLetter, retryFor, dryRun }: IngestOptions,
): Promise<DeadLetters | undefined> {
  if (deadLetter === undefined) return undefined;
  if (dryRun) return { put() {}, async flush() {}, async close() {} };
  if (isKafkaAddress(deadLetter)) {
    const { brokers, name } = parseKafkaAddress(deadLetter);
    const { openKafka } = await import('../live/kafka/client.ts');
    const { DeadTopic } = await import('../live/kafka/dead-topic.ts');
    return new DeadTopic(await openKafka({ brokers, retryFor, now: target.env.now }), name);
  }
  const path = isAbsolute(deadLetter) ? deadLetter : join(target.cwd, deadLetter);
  return new DeadFile(await openLetterFile(path));
}

/** @throws DvError `file-unwritable`, `disk-full`, ... */
async function openLetterFile(path: string): Promise<LetterFile> {
  try {
    const file = await open(path, 'a');
    return {
      async append(bytes) {
        try {
          await file.appendFile(bytes);
          await file.sync();
        } catch (error) {
          throw fileError(error, path);
        }
      },
      close: () => file.close(),
    };
  } catch (error) {
    throw fileError(error, path);
  }
}

/** Takes everything and writes nothing: `--dry-run`. */
class DryWriter implements RowWriter {
  readonly #below: RowWriter;

  constructor(below: RowWriter) {
    this.#below = below;
  }

  async write({ tables }: WriteRequest) {
    const rows = tables.reduce((sum, { batch }) => sum + (batch?.rows.rows ?? 0), 0);
    const counts = { table: tables[0]?.table ?? '', added: rows, removed: 0, modified: 0 };
    return { commit: '' as never, changed: false, tables: [counts], cursor: '' };
  }

  readOffsets(branch: string, source: string): Promise<SourceOffsets | null> {
    return this.#below.readOffsets(branch, source);
  }

  close(): Promise<void> {
    return this.#below.close();
  }
}

/**
 * The SQL of docs/kafka-flink.md, run by a real Flink over topics that `dv watch` filled: in the
 * end Flink has what dv has, row by row and cell by cell.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDv } from '../support/cli.ts';
import {
  type FlinkCell,
  type FlinkRow,
  findFlinkJars,
  foldChangelog,
  runFlink,
} from '../support/flink.ts';
import { findBrokerJars, KafkaBroker } from '../support/kafka.ts';
import { TestTopics } from '../support/kafka-topics.ts';

const COLUMNS = {
  id: 'integer',
  amount: 'decimal',
  weight: 'float',
  paid: 'boolean',
  due: 'date',
  placed: 'timestamp',
  note: 'text',
  tags: 'json',
  seal: 'bytes',
} as const;
const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
const TYPES = Object.values(COLUMNS);

/** Rows as lines of JSON: a number in a template keeps the digits it is written with. */
const FIRST = [
  `{"id":9007199254740993,"amount":123456789012345678901234567890123456.78,"weight":1.7976931348623157e308,"paid":true,"due":"0000-01-01","placed":"2026-11-25T10:00:00.123456789+05:30","note":"Zoë \\"q\\" \\\\ \\n\\t\\u0000 😀 日本","seal":"AP8="}`,
  `{"id":-9223372036854775808,"amount":-0.01,"weight":5e-324,"paid":false,"due":"9999-12-31","placed":"2026-11-25 10:00","note":"","seal":""}`,
  `{"id":9223372036854775807,"amount":0,"weight":"NaN","paid":null,"due":null,"placed":null,"note":null,"seal":null}`,
  `{"id":1,"amount":1.50,"weight":1e5,"paid":true,"due":"2026-11-25","placed":"2026-11-25T10:00:00Z","note":"goes"}`,
  `{"id":2,"amount":7,"weight":0.1,"note":"changes"}`,
  `{"id":3,"amount":99.9,"weight":-0.0,"note":"moves"}`,
  `{"id":4,"amount":12.34,"weight":-1e-310,"note":"goes and comes"}`,
  `{"id":9007199254740995,"amount":123456789012345678901234567890123456.07,"weight":0.30000000000000004,"paid":false,"due":"0001-02-03","placed":"2026-11-25T10:00:00.5-11:00","note":"Straße \\"日本\\" \\r\\n \\u007f e\u0301 👩‍🚀","seal":"AAECAw=="}`,
  ...plainRows(0, 300),
];
/** Each in a commit of its own. */
const LATER = [
  [
    `{"op":"d","id":1}`,
    `{"op":"u","id":2,"amount":9007199254740993.01,"weight":"-Infinity","paid":false,"due":"2024-02-29","placed":"2026-11-25","note":"changed Ω","tags":{"a":[1,null,"é"]},"seal":"aGk="}`,
    `{"op":"d","id":3}`,
    `{"op":"c","id":30,"amount":99.9,"weight":-0.0,"note":"moves"}`,
    `{"op":"d","id":4}`,
    `{"op":"c","id":5,"amount":-123456789012345678901234567890123456.78,"note":"comes","tags":"text"}`,
  ],
  [
    `{"op":"c","id":4,"amount":12.35,"weight":"Infinity","note":"goes and comes"}`,
    `{"op":"u","id":9007199254740993,"amount":null,"weight":null,"paid":null,"due":null,"placed":null,"note":null,"tags":null,"seal":null}`,
    `{"op":"u","id":9223372036854775807,"amount":0.10,"weight":123456789.123456789,"paid":true,"due":"2026-01-01","placed":"2026-01-01T00:00:00.000Z","note":"was null","tags":[],"seal":"////"}`,
    ...plainRows(100, 100, '"op":"u","paid":true,'),
  ],
  [`{"op":"u","id":2,"note":"changed again"}`, ...plainRows(300, 50, '"op":"c",'), ...removals()],
];

function plainRows(first: number, count: number, more = ''): string[] {
  return Array.from({ length: count }, (_, i) => {
    const n = first + i;
    return `{${more}"id":${1000 + n},"amount":${n}.${10 + (n % 90)},"weight":${n / 7},"note":"n${n % 5}"}`;
  });
}

function removals(): string[] {
  return Array.from({ length: 50 }, (_, i) => `{"op":"d","id":${1075 + i}}`);
}

/** A row's cells as text, each in the one spelling of its value. */
function spelled(row: FlinkRow): FlinkCell[] {
  return row.map((cell, i) => {
    if (typeof cell !== 'string') return cell;
    if (TYPES[i] === 'decimal')
      return cell.replace(/^(-?\d+)$/, '$1.').replace(/\.(\d*?)0*$/, '.$1');
    return TYPES[i] === 'float' ? `${Number(cell) + 0}` : cell;
  });
}

const inOrder = (rows: readonly FlinkRow[]) =>
  rows.map((row) => JSON.stringify(row)).sort((a, b) => (a < b ? -1 : 1));

/** The statements of docs/kafka-flink.md, of another broker, in order. */
function documented(broker: string): string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/kafka-flink.md'), 'utf8');
  return [...page.matchAll(/^```sql\n(.*?)^```/gms)]
    .flatMap(([, block]) => block.split(/;$/m))
    .map((text) => text.trim().replace("'localhost:9092'", `'${broker}'`))
    .filter((text) => text !== '');
}

const brokerJars = await findBrokerJars();
const flinkJars = 'missing' in brokerJars ? brokerJars : await findFlinkJars();
if ('missing' in flinkJars) console.warn(`Flink tests are skipped: ${flinkJars.missing}`);

describe.skipIf('missing' in flinkJars)('Flink', () => {
  let broker: KafkaBroker;
  let topics: TestTopics;
  let directory: string;
  let cwd: string;
  let rows: FlinkRow[];

  beforeAll(async () => {
    if ('missing' in brokerJars) return;
    broker = await KafkaBroker.start(brokerJars.jars, { 'num.partitions': '3' });
    topics = new TestTopics(broker.address);
    directory = mkdtempSync(join(tmpdir(), 'dv-flink-'));
    cwd = join(directory, 'shop');
    mkdirSync(cwd);
    await dv(['init', '--quiet']);
    await ingest(FIRST);
    await tell();
    for (const lines of LATER) await ingest(lines);
    await tell();
    rows = (await exported()).map((row) => NAMES.map((name) => row[name]));
  });
  afterAll(async () => {
    await broker?.remove();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  async function dv(args: readonly string[], input = ''): Promise<string> {
    const { status, stdout, stderr } = await runDv(args, { cwd, input });
    expect(stderr, args.join(' ')).toBe('');
    expect(status).toBe(0);
    return stdout;
  }

  function ingest(lines: readonly string[]): Promise<string> {
    // `tags` is a column that comes later.
    const types = NAMES.flatMap((name) => ['--type', `${name}=${COLUMNS[name]}`]);
    const args = ['ingest', 'orders', '--key', 'id', '--op-field', 'op', '--quiet'];
    return dv([...args, ...types], `${lines.join('\n')}\n`);
  }

  /** Sends what is new, or all of it again, to the topics that the page names. */
  async function tell(isAgain = false): Promise<void> {
    for (const [prefix, format] of [
      ['shop', 'debezium'],
      ['now', 'upsert'],
    ]) {
      const to = ['--to', `kafka:${broker.address}/${prefix}`, '--format', format];
      const again = ['--since', '2000-01-01', '--cursor-file', join(directory, format)];
      await dv(['watch', 'main', ...to, '--once', ...(isAgain ? again : [])]);
    }
  }

  /** The table's rows; numbers with the digits they have. */
  async function exported(...more: string[]): Promise<Record<string, FlinkCell>[]> {
    const text = await dv(['export', 'main:orders', '--format', 'ndjson', ...more]);
    const exact = (_: string, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' || typeof value === 'boolean' ? context?.source : value;
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line, exact));
  }

  /** Runs statements over what the topics have now. For each query, the rows in the end. */
  async function flink(statements: readonly string[]): Promise<FlinkRow[][]> {
    if ('missing' in flinkJars) throw new Error(flinkJars.missing);
    const bounded = statements.flatMap((text) => {
      const table = /^CREATE TABLE (\w+)/.exec(text)?.[1];
      const stop = `ALTER TABLE ${table} SET ('scan.bounded.mode' = 'latest-offset')`;
      return table === undefined ? [text] : [text, stop];
    });
    return (await runFlink(flinkJars.jars, bounded)).map(foldChangelog);
  }

  const table = `SELECT ${NAMES.join(', ')} FROM orders`;

  it('has the rows of dv, from before and after and with tombstones in the topic', async () => {
    const messages = await topics.read('shop.orders');
    const ops = messages.map(({ value }) => (value === null ? null : JSON.parse(value).op));
    expect(new Set(ops)).toEqual(new Set(['r', 'c', 'u', 'd', null]));
    expect(new Set(messages.map(({ partition }) => partition)).size).toBe(3);
    expect(await topics.ends('shop.cursor')).toHaveLength(1);
    expect(rows).toHaveLength(308);
    expect(rows.map(([id, amount, weight]) => [id, amount, weight])).toEqual(
      expect.arrayContaining([
        ['9007199254740995', '123456789012345678901234567890123456.07', '0.30000000000000004'],
        ['-9223372036854775808', '-0.01', '5e-324'],
        ['9223372036854775807', '0.10', '123456789.123456789'],
      ]),
    );

    // Without the SET, Flink takes the row that goes from `before`: each was there, as it was.
    const statements = documented(broker.address).filter((text) => !/^SET|origin\[/.test(text));
    const [sums, now, changelog] = await flink([...statements, table]);
    expect(inOrder(changelog.map(spelled))).toEqual(inOrder(rows.map(spelled)));
    expect(inOrder(now.map(spelled))).toEqual(inOrder(rows.map(spelled)));
    expect(inOrder(sums)).toEqual(inOrder(sumsByNote(rows)));
  });

  it('has them when everything came twice, and knows the commit of each', async () => {
    const once = (await topics.read('shop.orders')).length;
    await tell(true);
    expect((await topics.read('shop.orders')).length).toBe(2 * once);

    const [sums, origins, now, changelog] = await flink([...documented(broker.address), table]);
    expect(inOrder(changelog.map(spelled))).toEqual(inOrder(rows.map(spelled)));
    expect(inOrder(now.map(spelled))).toEqual(inOrder(rows.map(spelled)));
    expect(inOrder(sums)).toEqual(inOrder(sumsByNote(rows)));
    const blamed = await exported('--with-version');
    expect(inOrder(origins.map(([id, , commit]) => [id, commit]))).toEqual(
      inOrder(blamed.map(({ id, _commit }) => [id, _commit])),
    );
  });
});

/** What `SELECT note, SUM(amount) ... GROUP BY note` is. */
function sumsByNote(rows: readonly FlinkRow[]): FlinkRow[] {
  const sums = new Map<FlinkCell, bigint | null>();
  for (const row of rows) {
    const [amount, note] = [row[NAMES.indexOf('amount')], row[NAMES.indexOf('note')]];
    const sum = sums.get(note) ?? null;
    sums.set(note, typeof amount === 'string' ? (sum ?? 0n) + hundredths(amount) : sum);
  }
  return [...sums].map(([note, sum]) => [note, sum === null ? null : withPoint(sum)]);
}

function hundredths(text: string): bigint {
  const [whole, part = ''] = text.split('.');
  return BigInt(`${whole}${part.padEnd(2, '0')}`);
}

function withPoint(sum: bigint): string {
  const digits = `${sum < 0n ? -sum : sum}`.padStart(3, '0');
  return `${sum < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

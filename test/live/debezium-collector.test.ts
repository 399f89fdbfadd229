/** Debezium's envelopes and keys into rows, as a topic has them. */
import { describe, expect, it } from 'vitest';
import { DebeziumCollector } from '../../src/live/ingest/debezium-collector.ts';
import type { RecordBlock } from '../../src/live/ingest/record.ts';
import { rowsOf } from '../../src/tuple/row-batch-builder.ts';

interface Message {
  readonly key?: string;
  readonly value: string | null;
  readonly schema?: string;
}

function blockOf(messages: readonly Message[]): RecordBlock {
  const values = messages.map(({ value }) => Buffer.from(value ?? ''));
  let at = 0;
  const starts = values.map((value) => {
    at += value.length;
    return at - value.length;
  });
  return {
    ...{ count: messages.length, partition: 0, bytes: Buffer.concat(values) },
    starts: Int32Array.from(starts, (start, i) => (messages[i].value === null ? -1 : start)),
    ends: Int32Array.from(starts, (start, i) => start + values[i].length),
    positions: Float64Array.from(starts, (_, i) => i),
    behind: Float64Array.from(starts, (_, i) => i + 1),
    lines: Float64Array.from(starts, (_, i) => i),
    keys: messages.map(({ key }) => (key === undefined ? null : Buffer.from(key))),
    header: (i) => (messages[i].schema === undefined ? undefined : Buffer.from(messages[i].schema)),
  };
}

function collect(messages: readonly Message[], key: readonly string[] | undefined = ['id']) {
  const given = { maxBytes: 1 << 20, key, deletes: undefined, rawJson: new Set<string>() };
  const collector = new DebeziumCollector(given);
  const block = blockOf(messages);
  const verdicts = messages.map((_, i) => {
    const verdict = collector.add(block, i);
    if (verdict !== 'full') return verdict;
    collector.clear(); // as the pipeline does, when the batch is empty
    return collector.add(block, i);
  });
  const { columns, rows, deletes } = collector.batch();
  const told = rowsOf(rows).map((row, i) => [
    deletes?.[i] === 1 ? '-' : '+',
    Object.fromEntries(columns.map((name, column) => [name, row[column]])),
  ]);
  return { verdicts, told, collector };
}

describe('Debezium', () => {
  it('deletes by tombstones: keys bare, as objects, wrapped, and of a row with null before', () => {
    const { verdicts, told } = collect([
      { key: '{"id":1}', value: null },
      { key: '{"schema":{"type":"struct"},"payload":{"id":2}}', value: null },
      { key: '3', value: null },
      { key: '"four"', value: null },
      { key: '{"id":5}', value: '{"before":null,"after":null,"op":"d"}' },
      { key: '{"id":6}', value: '{"schema":{},"payload":null}' },
    ]);
    expect(verdicts).toEqual(Array(6).fill('added'));
    expect(told).toEqual(['1', '2', '3', 'four', '5', '6'].map((id) => ['-', { id }]));
  });

  it('takes a row out under its old key, and no further than the record before that is in', () => {
    const change = '{"before":{"id":1},"after":{"id":2,"n":9},"op":"u"}';
    const { told, collector } = collect([{ value: change }]);
    expect(told).toEqual([
      ['-', { id: '1', n: null }],
      ['+', { id: '2', n: '9' }],
    ]);
    expect([...collector.log.behind.subarray(0, 2)]).toEqual([0, 1]);
  });

  it('learns key and types from the header of another dv', () => {
    const schema = '{"key":["k"],"types":{"k":"text","d":"date","x":"nonsense"}}';
    const value = '{"before":null,"after":{"k":"1","d":"2026-11-25"},"op":"c"}';
    const { collector } = collect([{ value, schema }], undefined);
    expect(collector.key).toEqual(['k']);
    expect(collector.types()).toEqual({ k: 'text', d: 'date' });
  });

  it('says what is no change of a row', () => {
    const { verdicts } = collect([
      { value: '{"op":"m"}' },
      { value: '{"op":"c","after":{"id":1}} x' },
      { value: '{"op":"c","after":[1]}' },
      { value: '{"op":"c","after":{"id":null}}' },
      { value: null },
      { key: '{"other":1}', value: null },
      { value: '[]' },
    ]);
    const codes = verdicts.map((verdict) => (typeof verdict === 'string' ? verdict : verdict.code));
    expect(codes).toEqual([
      ...['bad-json', 'bad-json', 'bad-json', 'null-key', 'null-key', 'null-key', 'bad-json'],
    ]);
  });
});

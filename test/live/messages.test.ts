/**
 * What other systems read, field by field: golden messages in fixtures/messages, and what
 * Flink's `debezium-json` and `upsert-kafka` need of them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { topicName } from '../../src/live/kafka/topic-name.ts';
import type { ChangeMessage, ChangeShape } from '../../src/live/out/change-message.ts';
import { commitMessage, refDeletedMessage } from '../../src/live/out/commit-json.ts';
import { DEBEZIUM } from '../../src/live/out/debezium.ts';
import { UPSERT_JSON } from '../../src/live/out/upsert-json.ts';
import type { RowChange } from '../../src/model/change.ts';
import type { Row, Schema } from '../../src/tuple/schema.ts';

const SCHEMA: Schema = {
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'amount', type: 'decimal' },
    { name: 'ratio', type: 'float' },
    { name: 'paid', type: 'boolean' },
    { name: 'note', type: 'text' },
    { name: 'due', type: 'date' },
    { name: 'tags', type: 'json' },
  ],
  key: [0],
};
const HASH = (digit: string) => digit.repeat(64) as never;
const PLACE = {
  ...{ repo: 'shop', branch: 'main', commit: HASH('b'), parent: HASH('a') },
  ...{ sequence: 7, time: 1_795_598_396_000 },
};
const OLD: Row = [
  '9007199254740993',
  '1.50',
  '1e5',
  'true',
  'say "hi"\n',
  '2026-11-25',
  '{"a": 1}',
];
const NEW: Row = ['9007199254740993', '-0.10', 'NaN', null, '', '2026-11-26', '[]'];
const CHANGES: readonly (readonly [string, RowChange, boolean])[] = [
  ['snapshot', { change: 'added', from: null, to: OLD }, true],
  ['added', { change: 'added', from: null, to: OLD }, false],
  ['modified', { change: 'modified', from: OLD, to: NEW }, false],
  ['removed', { change: 'removed', from: NEW, to: null }, false],
];

function messages(shape: ChangeShape): ChangeMessage[] {
  const diff = { table: 'orders', from: SCHEMA, to: SCHEMA };
  return CHANGES.flatMap(([, change, isSnapshot]) => shape.write(diff, change, PLACE, isSnapshot));
}

function golden(name: string, told: readonly ChangeMessage[]): void {
  const path = `fixtures/messages/${name}.ndjson`;
  const text = told.map(({ key, value }) => `${key ?? 'null'}\t${value ?? 'null'}\n`).join('');
  if (process.env.DV_WRITE_GOLDEN) writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

describe('messages', () => {
  it('are those in fixtures/messages', () => {
    golden('debezium', messages(DEBEZIUM));
    golden('upsert', messages(UPSERT_JSON));
    const commit = {
      ...{ hash: HASH('b'), message: 'two lines\n\nof it', author: { name: 'A', email: 'a@b.c' } },
      ...{ committed: 1_795_598_396_000, parents: [HASH('a')], generation: 7 },
    };
    const tables = [{ table: 'orders', added: 1, removed: 0, modified: 2 }];
    golden('commits', [
      commitMessage({ repo: 'shop', ref: 'refs/heads/main', old: HASH('a'), commit, tables }),
      refDeletedMessage('shop', 'refs/heads/old', HASH('a')),
    ]);
  });

  it('have what Flink reads of debezium-json: op, and whole rows before and after', () => {
    const columns = SCHEMA.columns.map(({ name }) => name);
    const told = messages(DEBEZIUM).filter(({ value }) => value !== null);
    const envelopes = told.map(({ value }) => JSON.parse(value ?? ''));
    expect(envelopes.map(({ op }) => op)).toEqual(['r', 'c', 'u', 'd']);
    for (const { op, before, after, source, ts_ms, ...rest } of envelopes) {
      expect(rest).toEqual({});
      expect(before === null).toBe(op === 'c' || op === 'r');
      expect(after === null).toBe(op === 'd');
      for (const row of [before, after])
        if (row !== null) expect(Object.keys(row)).toEqual(columns);
      // Flink reads `source` as a map of strings: no value of it may be nested.
      expect(Object.values(source).every((value) => typeof value !== 'object')).toBe(true);
      expect(source).toMatchObject({
        ...{ repo: 'shop', branch: 'main', table: 'orders', commit: HASH('b'), parent: HASH('a') },
        ...{ sequence: 7, time: ts_ms, ts_ms, db: 'shop' },
      });
    }
  });

  it('write numbers from their exact text, and JSON so that it comes back the same', () => {
    const [snapshot] = messages(DEBEZIUM);
    expect(snapshot.key).toBe('{"id":9007199254740993}');
    expect(snapshot.value).toContain(
      '"after":{"id":9007199254740993,"amount":1.50,"ratio":1e5,"paid":true,' +
        '"note":"say \\"hi\\"\\n","due":"2026-11-25","tags":"{\\"a\\": 1}"}',
    );
  });

  it('end a removed row with a tombstone under its key', () => {
    const told = messages(DEBEZIUM);
    expect(told.at(-1)).toEqual({ key: '{"id":9007199254740993}', value: null });
    expect(told.at(-2)?.key).toBe('{"id":9007199254740993}');
    expect(messages(UPSERT_JSON).at(-1)?.value).toBeNull();
  });

  it('of a table without a key have none, and are no upserts', () => {
    const keyless = { ...SCHEMA, key: [] };
    const diff = { table: 'log', from: keyless, to: keyless };
    const change = { change: 'removed', from: OLD, to: null } as const;
    expect(DEBEZIUM.write(diff, change, PLACE, false).map(({ key }) => key)).toEqual([null]);
    expect(() => UPSERT_JSON.write(diff, change, PLACE, false)).toThrow(/'log' has no key/);
  });

  it('go to topics that can be named, one a table', () => {
    expect(topicName('p', 'orders')).toBe('p.orders');
    expect(topicName('p', 'a/b.csv')).toMatch(/^p\.a_b\.csv-[0-9a-f]{8}$/);
    expect(topicName('p', 'a_b.csv')).toBe('p.a_b.csv');
    expect(topicName('p', 'ä')).not.toBe(topicName('p', 'ö'));
    const long = topicName('p', 'x'.repeat(400));
    expect(long.length).toBe(249);
    expect(long).not.toBe(topicName('p', `${'x'.repeat(399)}y`));
  });
});

/** Merge rules as data: words and back, what suits what, and their three-way merge. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DvError } from '../../src/errors.ts';
import { decodeSchema, encodeSchema } from '../../src/model/objects.ts';
import { mergeCell } from '../../src/tuple/merge-cell.ts';
import {
  changeRules,
  checkRules,
  formatRules,
  mergeRules3,
  parseRules,
  rowRuleOf,
  ruleOf,
  sameRules,
  suits,
  withRules,
} from '../../src/tuple/merge-rules.ts';
import {
  COLUMN_RULES,
  COLUMN_TYPES,
  type MergeRules,
  ROW_RULES,
  type Schema,
} from '../../src/tuple/schema.ts';

const names = fc.oneof(
  fc.constantFrom('a', 'b', 'rows', '*', '"', '""', '', '__proto__', 'a=b', 'x=max', 'toString'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const columnRule = fc.constantFrom(...COLUMN_RULES);
const someRules: fc.Arbitrary<MergeRules | undefined> = fc
  .record({
    columns: fc.array(fc.tuple(names, columnRule), { maxLength: 4 }).map(Object.fromEntries),
    others: fc.option(columnRule),
    rows: fc.option(fc.constantFrom(...ROW_RULES)),
  })
  .map(({ columns, others, rows }) =>
    changeRules(undefined, { columns: new Map(Object.entries(columns)), others, rows }),
  );

const schemaOf = (...types: Schema['columns'][number]['type'][]): Schema => ({
  columns: types.map((type, i) => ({ name: `c${i}`, type })),
  key: [0],
});

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (error) {
    if (error instanceof DvError) return error.code;
    throw error;
  }
  return undefined;
};

test('words and back', () => {
  fc.assert(
    fc.property(someRules, (rules) => {
      expect(changeRules(undefined, parseRules(formatRules(rules)))).toEqual(rules);
    }),
  );
});

test('a schema and back; without rules its bytes are of version 1', () => {
  fc.assert(
    fc.property(someRules, (rules) => {
      const columns = ['id', ...Object.keys(rules?.columns ?? {})].map((name) => ({
        name,
        type: 'text' as const,
      }));
      const schema = withRules({ columns, key: [0] }, rules);
      const bytes = encodeSchema(schema);
      expect(bytes[1]).toBe(schema.rules === undefined ? 1 : 2);
      const read = decodeSchema(bytes);
      expect(encodeSchema(read)).toEqual(bytes);
      expect(sameRules(read.rules, schema.rules)).toBe(true);
      if (rules !== undefined && !Object.hasOwn(rules.columns, 'id')) {
        expect(sameRules(schema.rules, rules)).toBe(true);
      }
    }),
  );
});

test('version 1 has no rules, version 2 has some, and no rule is unknown', () => {
  const bytes = encodeSchema(withRules(schemaOf('text', 'text'), { columns: { c1: 'max' } }));
  const patched = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(bytes);
    change(copy);
    return codeOf(() => decodeSchema(copy));
  };
  expect(patched((copy) => copy.writeUInt8(1, 1))).toBe('corrupt');
  expect(patched((copy) => copy.writeUInt8(3, 1))).toBe('newer-format');
  expect(patched((copy) => copy.write('mix', copy.indexOf('max')))).toBe('corrupt');
  const plain = encodeSchema(schemaOf('text'));
  plain[1] = 2;
  expect(codeOf(() => decodeSchema(plain))).toBe('corrupt');
});

describe('the rule in force', () => {
  const schema = { ...schemaOf('integer', 'integer', 'json', 'text'), rules: undefined };

  test('is the own one, else that of *, where it suits', () => {
    const ruled: Schema = {
      columns: schema.columns,
      key: [0],
      rules: { columns: { c2: 'union', c3: 'conflict' }, others: 'sum', rows: 'delete-wins' },
    };
    expect(['c1', 'c2', 'c3'].map((name) => ruleOf(ruled, name))).toEqual([
      'sum',
      'union',
      'conflict',
    ]);
    expect(ruleOf({ ...ruled, rules: { columns: {}, others: 'sum' } }, 'c3')).toBe('conflict');
    expect(ruleOf({ ...ruled, rules: { columns: { c3: 'sum' } } }, 'c3')).toBe('conflict');
    expect([rowRuleOf(ruled), rowRuleOf(schemaOf('text'))]).toEqual(['delete-wins', 'conflict']);
    expect(ruleOf(schemaOf('text', 'text'), 'toString')).toBe('conflict');
  });

  test('a rule that suits a type decides some cells of it, and no other rule does', () => {
    const cells: Readonly<Record<string, readonly [string, string, string]>> = {
      text: ['a b c', 'x b c', 'a b y'],
      integer: ['1', '2', '3'],
      decimal: ['1', '2', '3'],
      float: ['1', '2', '3'],
      boolean: ['true', 'false', 'true'],
      date: ['2026-01-01', '2026-01-02', '2026-01-03'],
      timestamp: ['2026-01-01', '2026-01-02', '2026-01-03'],
      bytes: ['', 'AA==', 'AQ=='],
    };
    for (const type of COLUMN_TYPES) {
      for (const rule of ['sum', 'union', 'json', 'text'] as const) {
        const json = rule === 'union' ? ['[]', '[1]', '[2]'] : ['{}', '{"a":1}', '{"b":1}'];
        const [base, ours, theirs] = cells[type] ?? json;
        const merged = mergeCell(rule, type, { base, ours, theirs });
        expect([type, rule, merged !== 'conflict']).toEqual([type, rule, suits(rule, type)]);
      }
    }
  });
});

test('rules that cannot be are refused', () => {
  const schema = schemaOf('integer', 'text', 'json');
  const check = (columns: MergeRules['columns'], others?: 'max') => () =>
    checkRules(schema, { columns, ...(others === undefined ? {} : { others }) });
  expect(codeOf(check({ c0: 'max' }))).toBe('rule-mismatch');
  expect(codeOf(check({ c1: 'sum' }))).toBe('rule-mismatch');
  expect(codeOf(check({ c2: 'text' }))).toBe('rule-mismatch');
  expect(codeOf(check({ nope: 'max' }))).toBe('unknown-column');
  expect(codeOf(check({ c1: 'max', c2: 'union' }, 'max'))).toBeUndefined();
  const keyless = { ...schema, key: [] };
  expect(codeOf(() => checkRules(keyless, { columns: {}, others: 'max' }))).toBe('rule-mismatch');
  expect(codeOf(() => checkRules(keyless, { columns: {}, rows: 'delete-wins' }))).toBeUndefined();
  expect(codeOf(() => parseRules(['c1=most']))).toBe('unknown-rule');
  expect(codeOf(() => parseRules(['rows=max']))).toBe('unknown-rule');
  expect(codeOf(() => parseRules(['c1']))).toBe('bad-option');
  expect(codeOf(() => parseRules(['"c1=max']))).toBe('bad-option');
});

test('columns that go, or that become the key, take their rules along', () => {
  const rules: MergeRules = { columns: { c0: 'max', c1: 'min', gone: 'text' }, others: 'ours' };
  expect(withRules(schemaOf('text', 'text'), rules).rules).toEqual({
    columns: { c1: 'min' },
    others: 'ours',
  });
  expect(withRules({ ...schemaOf('text'), key: [] }, rules).rules).toBeUndefined();
});

describe('three sets of rules', () => {
  test('merge rule by rule, alike from both sides', () => {
    fc.assert(
      fc.property(someRules, someRules, someRules, (base, ours, theirs) => {
        const merged = mergeRules3(base, ours, theirs);
        expect(mergeRules3(base, theirs, ours)).toEqual(merged);
        expect(sameRules(mergeRules3(base, ours, base).rules, ours)).toBe(true);
        expect(sameRules(mergeRules3(base, ours, ours).rules, ours)).toBe(true);
        const words = (rules: MergeRules | undefined) => new Set(formatRules(rules));
        const [b, o, t] = [base, ours, theirs].map(words);
        for (const word of words(merged.rules)) expect(o.has(word) || t.has(word)).toBe(true);
        for (const word of b) {
          if (o.has(word) && t.has(word)) expect(words(merged.rules).has(word)).toBe(true);
        }
      }),
    );
  });

  test('tell what both changed, and not alike', () => {
    const rule = (a: 'max' | 'min' | 'sum'): MergeRules => ({ columns: { a }, rows: 'conflict' });
    expect(mergeRules3(rule('max'), rule('min'), rule('sum'))).toEqual({
      rules: { columns: {}, rows: 'conflict' },
      clashes: ['"a"'],
    });
    expect(mergeRules3(undefined, rule('max'), { columns: {}, rows: 'delete-wins' })).toEqual({
      rules: { columns: { a: 'max' } },
      clashes: ['its rows'],
    });
  });
});

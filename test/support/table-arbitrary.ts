/**
 * Random tables for properties of diffs: every type, every kind of schema change, hostile text.
 */
import fc from 'fast-check';
import { withRules } from '../../src/tuple/merge-rules.ts';
import {
  type Cell,
  COLUMN_RULES,
  COLUMN_TYPES,
  type ColumnType,
  type MergeRules,
  ROW_RULES,
  type Row,
} from '../../src/tuple/schema.ts';
import type { WholeTable } from './table-diffs.ts';

/** Text that has tripped renderers before, and any other. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  fc.constantFrom('', ' ', '  a ', '∅', '""', '"', "'", '\\', '\n', '\r\n', '\t', 'a\u0000b'),
  fc.constantFrom('\u001b[31m', '\u009b31m', '\u001b]0;x\u0007', '\u202eabc', '\u200b', '\u00a0'),
  fc.constantFrom('null', '007', '1.50', '1e5', 'true', '{}', '"x"', '</td><script>', '&amp;'),
  fc.constantFrom('日本語のテキスト', '👨‍👩‍👧', 'e\u0301', '\u00e9', '=1+1', 'a,b;c', "x' || 'y"),
  fc.constantFrom('one two three four five six', 'one two four five six', 'x'.repeat(300)),
);

const digits = (least: number, most: number) =>
  fc.stringMatching(new RegExp(`^[1-9][0-9]{${least - 1},${most - 1}}$`));

const cellOf: Readonly<Record<ColumnType, fc.Arbitrary<string>>> = {
  text: hostileText,
  integer: fc.oneof(
    fc.integer().map(String),
    fc.constantFrom('0', '9223372036854775807', '-9223372036854775808', '9007199254740993'),
  ),
  decimal: fc.oneof(
    fc.constantFrom('1.50', '-0.00', '0.1', '100'),
    fc.tuple(digits(20, 30), fc.nat(999)).map(([whole, part]) => `${whole}.${part}`),
  ),
  float: fc.constantFrom('1e5', '1.5E+10', '-2.5', 'NaN', 'Infinity', '-Infinity', '1E-7', '3'),
  boolean: fc.constantFrom('true', 'false'),
  date: fc.constantFrom('2026-01-31', '1999-12-31', '0001-01-01'),
  timestamp: fc.constantFrom('2026-01-31T23:59:59Z', '2026-01-31 10:00:00', '2026-01-31'),
  json: fc.oneof(
    fc.json({ maxDepth: 2, noUnicodeString: false }).filter((text) => text !== 'null'),
    fc.constantFrom('{"a": 1.50}', '[1,2,"\\u001b"]', '{}', '"x"', '12345678901234567890'),
  ),
  bytes: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64')),
};

const columnName = fc.oneof(
  fc.constantFrom(
    'name',
    'a b',
    'table',
    'change',
    '2020',
    '__proto__',
    'x"y',
    "it's",
    'from',
    'rowid',
  ),
  fc.stringMatching(/^[a-z]{1,6}$/),
  hostileText.filter((text) => text !== '' && !text.includes('\u0000')),
);

type Cells = ReadonlyMap<string, Cell>;

/** Rows as a table: each with its own key, none of which is null. */
function tableOf(
  names: readonly string[],
  keyNames: readonly string[],
  types: ReadonlyMap<string, ColumnType>,
  rows: readonly Cells[],
): WholeTable {
  const columns = names.map((name) => ({ name, type: types.get(name) ?? 'text' }));
  const byKey = new Map<string, Row>();
  for (const [index, cells] of rows.entries()) {
    const key = keyNames.map((name) => cells.get(name) ?? null);
    if (key.includes(null)) continue;
    const id = keyNames.length > 0 ? JSON.stringify(key) : String(index);
    const row = names.map((name) => cells.get(name) ?? null);
    byKey.set(id, byKey.get(id) ?? row);
  }
  const key = keyNames.map((name) => names.indexOf(name));
  return { schema: { columns, key }, rows: [...byKey.values()] };
}

type Fate = 'goes' | 'stays' | 'changes';

/** What becomes of a row; a changed one keeps its key and takes the cells of `other`. */
function rowAfter(cells: Cells, fate: Fate, other: Cells, keyNames: readonly string[]): Cells[] {
  if (fate === 'goes') return [];
  if (fate === 'stays') return [cells];
  const kept = [...cells].filter(([name]) => keyNames.includes(name));
  return [new Map([...other, ...kept])];
}

function rulesOf(
  columns: readonly { readonly name: string }[],
): fc.Arbitrary<MergeRules | undefined> {
  const rule = fc.constantFrom(...COLUMN_RULES);
  const named = fc.subarray(columns.map(({ name }) => name));
  return fc.option(
    fc.tuple(named, rule, fc.option(fc.constantFrom(...ROW_RULES), { nil: undefined })).map(
      ([names, one, rows]): MergeRules => ({
        columns: Object.fromEntries(names.map((name) => [name, one])),
        ...(rows === undefined ? {} : { rows }),
      }),
    ),
    { nil: undefined },
  );
}

export interface TablePairOptions {
  /** The to-side may lose its key. */
  readonly rekey?: boolean;
  /** Columns may become text. */
  readonly retype?: boolean;
  /** Merge rules may come, go and change. */
  readonly rules?: boolean;
}

/** Two tables with much in common: rows come, go and change; so do columns. */
export function tablePairs({ rekey, retype, rules }: TablePairOptions = {}): fc.Arbitrary<{
  from: WholeTable;
  to: WholeTable;
}> {
  const column = fc.record({
    name: columnName,
    type: fc.constantFrom(...COLUMN_TYPES),
    from: fc.boolean(),
    to: fc.boolean(),
    retyped: retype ? fc.boolean() : fc.constant(false),
  });
  const columns = fc.uniqueArray(column, {
    minLength: 1,
    maxLength: 6,
    // Databases take names for equal that differ in case only.
    selector: ({ name }) => name.toLowerCase().normalize('NFKC'),
  });
  return fc.tuple(columns, fc.nat(2)).chain(([all, keySize]) => {
    const keyNames = all.slice(0, keySize).map(({ name }) => name);
    const others = all.slice(keySize);
    const side = (which: 'from' | 'to') => {
      const names = others.filter((one) => one[which]).map(({ name }) => name);
      return names.length + keySize > 0 ? names : others.map(({ name }) => name);
    };
    const fromTypes = new Map(all.map(({ name, type }) => [name, type]));
    const toTypes = new Map(fromTypes);
    for (const { name, retyped } of others) if (retyped) toTypes.set(name, 'text');
    const row = fc
      .tuple(...all.map(({ type }) => fc.option(cellOf[type], { freq: 4 })))
      .map((cells) => new Map(cells.map((cell, index) => [all[index].name, cell])));
    const fate = fc.constantFrom<Fate>('goes', 'stays', 'changes');
    return fc
      .record({
        rows: fc.array(fc.record({ cells: row, fate, other: row }), { maxLength: 8 }),
        more: fc.array(row, { maxLength: 4 }),
        order: fc.shuffledSubarray(side('to'), { minLength: side('to').length }),
        keyless: rekey ? fc.boolean() : fc.constant(false),
        fromRules: rules ? rulesOf(all) : fc.constant(undefined),
        toRules: rules ? rulesOf(all) : fc.constant(undefined),
      })
      .map(({ rows, more, order, keyless, fromRules, toRules }) => {
        const after = rows.flatMap((r) => rowAfter(r.cells, r.fate, r.other, keyNames));
        const before = rows.map(({ cells }) => cells);
        const from = tableOf([...keyNames, ...side('from')], keyNames, fromTypes, before);
        const toKey = keyless ? [] : keyNames;
        const to = tableOf([...order, ...keyNames], toKey, toTypes, [...after, ...more]);
        return {
          from: { ...from, schema: withRules(from.schema, fromRules) },
          to: { ...to, schema: withRules(to.schema, toRules) },
        };
      });
  });
}

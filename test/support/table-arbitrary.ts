/**
 * Random tables for properties of diffs: every type, every kind of schema change, hostile text.
 */
import fc from 'fast-check';
import { type Cell, COLUMN_TYPES, type ColumnType, type Row } from '../../src/tuple/schema.ts';
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

interface Shape {
  readonly names: readonly string[];
  readonly keySize: number;
}

const shape: fc.Arbitrary<Shape> = fc.record({
  names: fc.uniqueArray(columnName, {
    minLength: 1,
    maxLength: 6,
    // Databases take names for equal that differ in case only.
    selector: (name) => name.toLowerCase().normalize('NFKC'),
  }),
  keySize: fc.nat(2),
});

function tableArbitrary(
  names: readonly string[],
  keyNames: readonly string[],
  types: ReadonlyMap<string, ColumnType>,
  pool: fc.Arbitrary<Map<string, Cell>[]>,
): fc.Arbitrary<WholeTable> {
  const columns = names.map((name) => ({ name, type: types.get(name) ?? 'text' }));
  const key = keyNames.map((name) => names.indexOf(name));
  return pool.map((cells) => {
    const rows = cells.map((row): Row => names.map((name) => row.get(name) ?? null));
    const seen = new Set<string>();
    const unique = rows.filter((row) => {
      const id = JSON.stringify(key.map((index) => row[index]));
      if (seen.has(id) || key.some((index) => row[index] === null)) return false;
      seen.add(id);
      return true;
    });
    return { schema: { columns, key }, rows: key.length > 0 ? unique : rows };
  });
}

/** Two tables with much in common. Columns come, go and move; types and keys may change. */
export function tablePairs(
  options: { readonly rekey?: boolean; readonly retype?: boolean } = {},
): fc.Arbitrary<{ from: WholeTable; to: WholeTable }> {
  return shape.chain(({ names, keySize }) => {
    const keyNames = names.slice(0, Math.min(keySize, names.length));
    const others = names.slice(keyNames.length);
    return fc
      .record({
        types: fc.array(fc.constantFrom(...COLUMN_TYPES), {
          minLength: names.length,
          maxLength: names.length,
        }),
        retyped: options.retype ? fc.subarray([...others]) : fc.constant<string[]>([]),
        fromOthers: fc.shuffledSubarray([...others]),
        toOthers: fc.oneof(fc.constant([...others]), fc.shuffledSubarray([...others])),
        rekeyed: options.rekey ? fc.boolean() : fc.constant(false),
      })
      .chain(({ types, retyped, fromOthers, toOthers, rekeyed }) => {
        const fromTypes = new Map(names.map((name, index) => [name, types[index]]));
        const toTypes = new Map(fromTypes);
        for (const name of retyped) toTypes.set(name, 'text');
        const fromNames = [...keyNames, ...fromOthers];
        const toNames = [...toOthers, ...keyNames];
        const row = fc
          .tuple(
            ...names.map((name) => fc.option(cellOf[fromTypes.get(name) ?? 'text'], { freq: 4 })),
          )
          .map((cells) => new Map(cells.map((cell, index) => [names[index], cell])));
        const base = fc.array(row, { maxLength: 8 });
        return fc
          .tuple(
            base,
            fc.array(row, { maxLength: 4 }),
            fc.array(fc.nat(2), { minLength: 8, maxLength: 8 }),
          )
          .chain(([rows, more, keep]) => {
            // A third of the rows go, a third get the cells of another, new ones come.
            const after = rows.flatMap((cells, index) => {
              if (keep[index] === 0) return [];
              if (keep[index] === 1 || more.length === 0) return [cells];
              const other = more[index % more.length];
              return [
                new Map(
                  [...cells].map(([n, c]) => [
                    n,
                    keyNames.includes(n) ? c : (other.get(n) ?? null),
                  ]),
                ),
              ];
            });
            const toKey = rekeyed ? [] : keyNames;
            if (fromNames.length === 0 || toNames.length === 0) {
              const whole = [...names];
              return fc.record({
                from: tableArbitrary(whole, keyNames, fromTypes, fc.constant(rows)),
                to: tableArbitrary(whole, toKey, toTypes, fc.constant([...after, ...more])),
              });
            }
            return fc.record({
              from: tableArbitrary(fromNames, keyNames, fromTypes, fc.constant(rows)),
              to: tableArbitrary(toNames, toKey, toTypes, fc.constant([...after, ...more])),
            });
          });
      });
  });
}

/** docs/rules.md names every rule and the types it suits, and its examples are what a merge does. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mergeCell } from '../src/tuple/merge-cell.ts';
import { suits } from '../src/tuple/merge-rules.ts';
import { type Cell, COLUMN_RULES, COLUMN_TYPES, ROW_RULES } from '../src/tuple/schema.ts';

const PAGE = readFileSync(new URL('../docs/rules.md', import.meta.url), 'utf8');

/** Rows of the tables under a heading, as lists of cells. */
function tableUnder(heading: string): string[][] {
  const section = PAGE.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) => line.slice(2, -2).split(' | '));
}

const words = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word);

test('every rule of columns is there, with the types it suits', () => {
  const rows = tableUnder('Rules of columns');
  expect(rows.flatMap(([rule]) => words(rule))).toEqual(COLUMN_RULES);
  for (const [rules, types] of rows) {
    const named = words(types);
    const told = (type: string) =>
      types === 'any' || named.includes(type) !== types.startsWith('all but');
    for (const rule of COLUMN_RULES.filter((one) => words(rules).includes(one))) {
      expect([rule, COLUMN_TYPES.filter((type) => suits(rule, type))]).toEqual([
        rule,
        COLUMN_TYPES.filter(told),
      ]);
    }
  }
});

test('every rule of rows is there', () => {
  expect(tableUnder('Rules of rows').flatMap(([rule]) => words(rule))).toEqual(ROW_RULES);
});

const cellOf = (text: string): Cell => (text === '∅' ? null : text.slice(1, -1));
const EXAMPLES = tableUnder('Examples');

test('there are examples', () => {
  expect(EXAMPLES.length).toBeGreaterThan(15);
});

test.each(EXAMPLES)(
  '%s of %s: %s, %s, %s make %s',
  (quoted, typeName, base, ours, theirs, result) => {
    const rule = COLUMN_RULES.find((one) => quoted === `\`${one}\``)!;
    const type = COLUMN_TYPES.find((one) => one === typeName)!;
    const expected = result === 'conflict' ? result : { cell: cellOf(result) };
    const sides = { base: cellOf(base), ours: cellOf(ours), theirs: cellOf(theirs) };
    expect(mergeCell(rule, type, sides)).toEqual(expected);
    if (rule === 'ours' || rule === 'theirs') return;
    const swapped = { base: sides.base, ours: sides.theirs, theirs: sides.ours };
    expect(mergeCell(rule, type, swapped)).toEqual(expected);
  },
);

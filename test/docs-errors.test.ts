/** docs/errors.md and the table of codes in src/errors.ts say the same, in both directions. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_KINDS, EXIT_STATUS } from '../src/errors.ts';

const PAGE = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');

/** Cells of every row of the page's tables that begins with a name in backticks. */
function tableRows(text: string): string[][] {
  return [...text.matchAll(/^\| (`.*) \|$/gm)].map(([, row]) => row.split(' | '));
}

interface Section {
  readonly kind: string;
  readonly status: number;
  readonly text: string;
}

function sectionsOf(page: string): Section[] {
  return page.split(/^## /m).map((text) => {
    const [, kind, status] = /^(\w+): exit status (\d+)$/m.exec(text) ?? ['', '', '0'];
    return { kind, status: Number(status), text };
  });
}

const codesOf = (page: string): string[] =>
  sectionsOf(page)
    .filter(({ kind }) => kind !== '')
    .flatMap(({ kind, text }) => tableRows(text).map(([code]) => `${kind} ${code}`));

describe('docs/errors.md', () => {
  test('has every code of the table, in its order and under its kind, and no other', () => {
    const expected = Object.entries(ERROR_KINDS).map(([code, kind]) => `${kind} \`${code}\``);
    expect(codesOf(PAGE)).toEqual(expected);
  });

  test('gives every kind its exit status', () => {
    const [intro, ...sections] = sectionsOf(PAGE);
    const listed = tableRows(intro.text).map(([kind, status]) => [kind, Number(status)]);
    expect(listed).toEqual(Object.entries(EXIT_STATUS).map(([kind, n]) => [`\`${kind}\``, n]));
    for (const { kind, status } of sections) expect([kind, status]).toEqual([kind, statusOf(kind)]);
  });

  test('says of every code what it means and what to do', () => {
    for (const { kind, text } of sectionsOf(PAGE)) {
      if (kind === '') continue;
      for (const row of tableRows(text)) {
        expect(row, row[0]).toHaveLength(3);
        for (const cell of row.slice(1)) expect(cell, row[0]).toMatch(/^.{10,}\.$/);
      }
    }
  });

  test('would be seen to lack a code or to have one too many', () => {
    const row = PAGE.split('\n').find((line) => line.startsWith('| `locked`')) as string;
    expect(codesOf(PAGE.replace(row, ''))).not.toContain('refused `locked`');
    expect(codesOf(PAGE.replace(row, row.replace('locked', 'stuck')))).toContain('refused `stuck`');
  });
});

function statusOf(kind: string): number | undefined {
  return Object.entries(EXIT_STATUS).find(([name]) => name === kind)?.[1];
}

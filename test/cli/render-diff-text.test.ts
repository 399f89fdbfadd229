import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderDiffCsv } from '../../src/cli/render/diff-csv.ts';
import { renderDiffHtml } from '../../src/cli/render/diff-html.ts';
import { renderDiffNdjson } from '../../src/cli/render/diff-ndjson.ts';
import { renderDiffSql } from '../../src/cli/render/diff-sql.ts';
import { renderDiffStat } from '../../src/cli/render/diff-stat.ts';
import { type DiffTextOptions, renderDiffText } from '../../src/cli/render/diff-text.ts';
import { loadPaint } from '../../src/cli/render/paint.ts';
import { displayWidth } from '../../src/cli/render/width.ts';
import { statTable } from '../../src/porcelain/diff-stat.ts';
import { writePatch } from '../../src/porcelain/patch.ts';
import { readFixture } from '../support/diff-fixtures.ts';
import { tablePairs } from '../support/table-arbitrary.ts';
import { schema, slowDiff, tableDiff, textOf } from '../support/table-diffs.ts';

const layouts = fc.constantFrom('auto', 'inline', 'stacked', 'side-by-side') as fc.Arbitrary<
  NonNullable<DiffTextOptions['layout']>
>;
const widths = fc.integer({ min: 40, max: 220 });
const pairs = tablePairs({ rekey: true, retype: true });

/** What a terminal may obey; a line feed ends a line and a tab moves on. */
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

describe('a diff as text', () => {
  it('never sends what a terminal would obey, in any format', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, layouts, widths, async ({ from, to }, layout, width) => {
        const diffs = () => [slowDiff('\u001b[2Jt\u009b', from, to)];
        const texts = [
          await textOf(renderDiffText(diffs(), { layout, width })),
          await textOf(renderDiffText(diffs(), { layout })),
          await textOf(renderDiffNdjson(diffs(), { width })),
          await textOf(renderDiffCsv(diffs(), { width })),
          await textOf(renderDiffSql(diffs(), { width })),
          await textOf(renderDiffHtml(diffs(), { title: '\u001b' })),
          await textOf(writePatch(diffs())),
          renderDiffStat(await Promise.all(diffs().map(statTable))),
        ];
        for (const text of texts) expect(text).not.toMatch(RAW);
      }),
    );
  });

  it('is one row a line where there is no terminal', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async ({ from, to }) => {
        const text = await textOf(renderDiffText([slowDiff('t', from, to)]));
        const { added, removed, modified } = await statTable(slowDiff('t', from, to));
        const rows = text.split('\n').filter((line) => /^[+~-] /.test(line));
        expect(rows.filter((line) => line.startsWith('+'))).toHaveLength(added);
        expect(rows.filter((line) => line.startsWith('-'))).toHaveLength(removed);
        expect(rows.filter((line) => line.startsWith('~')).length).toBeGreaterThanOrEqual(modified);
        expect(rows.join('')).not.toContain('…');
      }),
    );
  });

  it('keeps to the width', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, layouts, widths, async ({ from, to }, layout, width) => {
        const text = await textOf(renderDiffText([slowDiff('t', from, to)], { layout, width }));
        // Rows and the lines below them; the head of a table may be longer.
        const lines = text.split('\n').filter((line) => /^(?:[+~-] | {4})/.test(line));
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('is the same text in colour', async () => {
    const paint = await loadPaint(true);
    const strip = (text: string) => text.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '');
    await fc.assert(
      fc.asyncProperty(pairs, layouts, widths, async ({ from, to }, layout, width) => {
        const diffs = () => [slowDiff('t', from, to)];
        const plain = await textOf(renderDiffText(diffs(), { layout, width }));
        const painted = await textOf(renderDiffText(diffs(), { layout, width, paint }));
        expect(strip(painted)).toBe(strip(plain));
      }),
    );
  });

  it('names every column that changed, in every layout', async () => {
    const table = schema('id:integer first second third fourth fifth', 'id');
    const long = 'word '.repeat(30).trim();
    const from = ['1', long, 'a', null, 'same', '1'];
    const to = ['1', `${long} more`, 'b', '', 'same', '2'];
    for (const layout of ['auto', 'inline', 'stacked', 'side-by-side'] as const) {
      for (const width of [40, 60, 80, 120, 200]) {
        const diff = tableDiff('t', table, table, [[from, to]]);
        const text = await textOf(renderDiffText([diff], { layout, width }));
        for (const name of ['first', 'second', 'third', 'fifth']) expect(text).toContain(name);
      }
    }
  });
});

describe('what was asked for', () => {
  const rows = () => readFixture('cities');

  it('is so many rows, and the rest is not read', async () => {
    let read = 0;
    const [cities] = rows();
    const counted = {
      ...cities,
      async *changes() {
        for await (const batch of cities.changes()) {
          read += batch.length;
          yield batch;
        }
      },
    };
    const text = await textOf(renderDiffText([counted], { limit: 2 }));
    expect(text).toContain('… more rows follow; shown: 2 modified');
    expect(text.match(/^~ /gm)).toHaveLength(2);
    expect(read).toBe(3);
    expect(await textOf(renderDiffText(rows(), { limit: 4 }))).not.toContain('more rows');
    const ndjson = await textOf(renderDiffNdjson(rows(), { limit: 3 }));
    expect(ndjson.trim().split('\n')).toHaveLength(3);
  });

  it('is so many columns, and rows that are equal there are left out', async () => {
    const text = await textOf(renderDiffNdjson(rows(), { columns: ['name'] }));
    expect(text).toBe(
      [
        '{"table":"cities.csv","change":"modified","key":{"id":1},"from":{"id":1,"name":"Zürich"},"to":{"id":1,"name":"Zurich"}}',
        '{"table":"cities.csv","change":"removed","key":{"id":7},"from":{"id":7,"name":"Lugano"},"to":null}',
        '{"table":"cities.csv","change":"added","key":{"id":12},"from":null,"to":{"id":12,"name":"Bern"}}',
        '',
      ].join('\n'),
    );
    const schemas = await textOf(renderDiffText(readFixture('schema'), { columns: ['mayor'] }));
    expect(schemas).toContain('+ column mayor');
    expect(schemas).not.toMatch(/fax|zip/);
  });

  it('is everything, on a terminal too', async () => {
    const full = await textOf(renderDiffText(readFixture('long-cells'), { width: 80, full: true }));
    expect(full).toBe(await textOf(renderDiffText(readFixture('long-cells'))));
  });
});

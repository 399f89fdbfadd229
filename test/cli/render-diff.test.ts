/** What every rendering of every fixture looks like: `fixtures/diff/*.txt` and `*.html`. */
import { describe, expect, it } from 'vitest';
import { renderDiffCsv } from '../../src/cli/render/diff-csv.ts';
import { renderDiffHtml } from '../../src/cli/render/diff-html.ts';
import { renderDiffNdjson } from '../../src/cli/render/diff-ndjson.ts';
import { renderDiffSql } from '../../src/cli/render/diff-sql.ts';
import { renderDiffStat } from '../../src/cli/render/diff-stat.ts';
import { renderDiffText } from '../../src/cli/render/diff-text.ts';
import { NO_PAINT, type Paint, type Role } from '../../src/cli/render/paint.ts';
import { statTable } from '../../src/porcelain/diff-stat.ts';
import { writePatch } from '../../src/porcelain/patch.ts';
import { fixtureNames, goldenPath, readFixture } from '../support/diff-fixtures.ts';
import { textOf } from '../support/table-diffs.ts';

/** Colours one can read: each role in brackets behind its first letters. */
const LEGIBLE = Object.fromEntries(
  Object.keys(NO_PAINT).map((role): [string, Role] => [role, (text) => `${role}[${text}]`]),
) as unknown as Paint;

async function transcript(name: string): Promise<string> {
  const diffs = () => readFixture(name);
  const text = (options: Parameters<typeof renderDiffText>[1]) =>
    textOf(renderDiffText(diffs(), options));
  const stats = await Promise.all(diffs().map(statTable));
  const sections: [title: string, text: string][] = [
    ['text, not on a terminal', await text({})],
    ['text, 80 columns', await text({ width: 80 })],
    ['text, 120 columns', await text({ width: 120 })],
    ['text, 200 columns', await text({ width: 200 })],
    ['text, stacked, 100 columns', await text({ width: 100, layout: 'stacked' })],
    ['text, side by side, 140 columns', await text({ width: 140, layout: 'side-by-side' })],
    ['text, in colour, 100 columns', await text({ width: 100, paint: LEGIBLE })],
    ['stat', renderDiffStat(stats)],
    ['stat, JSON', `${JSON.stringify({ tables: stats })}\n`],
    ['NDJSON', await textOf(renderDiffNdjson(diffs(), { width: 80 }))],
    ['CSV', await textOf(renderDiffCsv(diffs(), { width: 80 }))],
    ['SQL', await textOf(renderDiffSql(diffs(), { width: 80 }))],
    ['SQL for Postgres', await textOf(renderDiffSql(diffs(), { width: 80, dialect: 'postgres' }))],
    ['patch', await textOf(writePatch(diffs()))],
  ];
  return sections.map(([title, body]) => `=== ${title}\n${body}`).join('\n');
}

describe.each(fixtureNames)('fixture %s', (name) => {
  it('looks as expected as text', async () => {
    await expect(await transcript(name)).toMatchFileSnapshot(goldenPath(`${name}.txt`));
  });

  it('looks as expected as a page', async () => {
    const page = await textOf(renderDiffHtml(readFixture(name), { title: `${name} <main>` }));
    await expect(page).toMatchFileSnapshot(goldenPath(`${name}.html`));
  });
});

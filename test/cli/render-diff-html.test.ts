import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderDiffHtml } from '../../src/cli/render/diff-html.ts';
import { tablePairs } from '../support/table-arbitrary.ts';
import { collect, slowDiff, textOf } from '../support/table-diffs.ts';

const VOID = new Set(['!doctype', 'meta', 'input']);
const KNOWN = new Set(
  'html head title style body header h1 h2 p ul li a span nav label section small div table thead tbody tr th td del ins b i'.split(
    ' ',
  ),
);

/** Names of the tags, after checking that they nest and that dv wrote every one. */
function checkTags(html: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, slash, name] of html.matchAll(/<(\/?)([!a-z0-9]+)[^<>]*>/gi)) {
    if (VOID.has(name)) continue;
    expect(KNOWN).toContain(name);
    names.push(name);
    if (slash === '') open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
  return names;
}

describe('a diff as a page', () => {
  it('is well formed whatever the cells are, and loads nothing', async () => {
    await fc.assert(
      fc.asyncProperty(tablePairs({ rekey: true, retype: true }), async ({ from, to }) => {
        const diff = () => slowDiff('<script>', from, to);
        const html = await textOf(renderDiffHtml([diff()], { title: '</title>&' }));
        const tags = checkTags(html);
        // Between the tags there is nothing that could be one.
        const text = html.replace(/<style>[^<]*/, '').replaceAll(/<[^<>]*>/g, '');
        expect(text).not.toMatch(/[<>]/);
        const attributes = [...html.matchAll(/<[^<>]*>/g)].join('');
        expect(attributes).not.toMatch(/\s(?:src|on\w+|style)\s*=|href="[^#]/i);
        expect(html.slice(0, html.indexOf('</style>'))).not.toMatch(/url\(|@import/);
        const rows = (await collect(diff().changes())).flat().length;
        expect(tags.filter((tag) => tag === 'tr').length / 2).toBe(rows > 0 ? rows + 1 : 0);
      }),
    );
  });

  it('comes as it is read', async () => {
    const rows = Array.from({ length: 10 }, (_, i) => [String(i), 'x']);
    const columns = [
      { name: 'id', type: 'integer' },
      { name: 'x', type: 'text' },
    ] as const;
    const diff = slowDiff('t', null, { schema: { columns, key: [0] }, rows });
    const parts = await collect(renderDiffHtml([diff]));
    expect(parts.length).toBeGreaterThan(5);
    expect(parts[0]).not.toContain('<tr');
  });
});

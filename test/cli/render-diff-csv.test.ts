import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderDiffCsv } from '../../src/cli/render/diff-csv.ts';
import { cellAt, pairColumns } from '../../src/model/diff-columns.ts';
import type { Cell } from '../../src/tuple/schema.ts';
import { tablePairs } from '../support/table-arbitrary.ts';
import { collect, schema, slowDiff, tableDiff, textOf } from '../support/table-diffs.ts';

/** CSV read the plain way: a quoted field is text, an empty unquoted one is null. */
function parseCsv(text: string): Cell[][] {
  const records: Cell[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/gy;
  for (let match = field.exec(text); match !== null; match = field.exec(text)) {
    const [, quoted, plain, end] = match;
    records[records.length - 1].push(
      quoted?.replaceAll('""', '"') ?? (plain === '' ? null : plain),
    );
    if (end === '\n' && field.lastIndex < text.length) records.push([]);
  }
  return records;
}

describe('a diff as CSV', () => {
  it('holds every cell of both sides', async () => {
    await fc.assert(
      fc.asyncProperty(tablePairs({ rekey: true, retype: true }), async ({ from, to }) => {
        const diff = () => slowDiff('t.csv', from, to);
        const changes = (await collect(diff().changes())).flat();
        const text = await textOf(renderDiffCsv([diff()]));
        const [header, ...lines] = text === '' ? [[]] : parseCsv(text);
        expect(lines).toHaveLength(changes.length);
        for (const [index, change] of changes.entries()) {
          const cell = (name: string) => lines[index][header.lastIndexOf(name)];
          expect(lines[index].slice(0, 2)).toEqual(['t.csv', change.change]);
          for (const { name, key, from, to } of pairColumns(diff().from, diff().to)) {
            const [before, after] = [cellAt(change.from, from), cellAt(change.to, to)];
            if (key) expect(cell(name)).toBe(after ?? before);
            else expect([cell(`from_${name}`), cell(`to_${name}`)]).toEqual([before, after]);
          }
        }
      }),
    );
  });

  it('begins anew for other columns', async () => {
    const table = (name: string, columns: string) =>
      tableDiff(name, null, schema(columns, 'id'), [[null, ['1', 'x']]]);
    const tables = [table('a', 'id b'), table('b', 'id b'), table('c', 'id c')];
    expect(await textOf(renderDiffCsv(tables))).toBe(
      'table,change,id,from_b,to_b\na,added,1,,x\nb,added,1,,x\n\n' +
        'table,change,id,from_c,to_c\nc,added,1,,x\n',
    );
  });

  it('gives way to columns of the same name', async () => {
    const table = schema('table change x', 'table change');
    const diff = tableDiff('t', null, table, [[null, ['a', 'b', 'c']]]);
    expect(await textOf(renderDiffCsv([diff]))).toBe(
      'dv_table,dv_change,table,change,from_x,to_x\nt,added,a,b,,c\n',
    );
  });

  it('is exact where it does not go to a terminal', async () => {
    const diff = tableDiff('t', null, schema('a'), [[null, ['\u001b[31m']]]);
    expect(await textOf(renderDiffCsv([diff]))).toContain('\u001b[31m');
  });
});

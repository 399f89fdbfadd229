/** The merge cases of fixtures/merge, as they are and with the sides swapped. */
import { describe, expect, test } from 'vitest';
import type { CellOrigin } from '../../src/model/cell-origin.ts';
import { mergeRoots } from '../../src/model/merge-roots.ts';
import type { AskOrigins, MergeOptions } from '../../src/model/merge-types.ts';
import type { ColumnRule } from '../../src/tuple/schema.ts';
import { type MergeCase, readMergeCases } from '../support/merge-cases.ts';
import { conflictLines, newNodes, readTableOf, rootWith } from '../support/merge-scene.ts';

const cases = readMergeCases();

/** The option `later` says which side's cells are the later ones. */
function origins(later: string | undefined): MergeOptions['origins'] {
  if (later === undefined) return undefined;
  const at = (ms: number): CellOrigin => {
    const commit = 'f'.repeat(64) as CellOrigin['commit'];
    return { commit, clock: { ms, counter: 0, node: 'node' } };
  };
  const ask = (side: string): AskOrigins => {
    return async (_, cells) => cells.map(() => at(side === later ? 2 : 1));
  };
  return { ours: ask('ours'), theirs: ask('theirs') };
}

function optionsOf({ options }: MergeCase): MergeOptions {
  const { fallback, renumber, later } = options;
  return {
    ...(fallback && { fallback: fallback as ColumnRule }),
    ...(renumber && { renumber: renumber as 'ours' | 'theirs' }),
    ...(later && { origins: origins(later) }),
  };
}

const swapSide = (line: string): string =>
  line.replace(/removed-by-(ours|theirs)/, (_, side) =>
    side === 'ours' ? 'removed-by-theirs' : 'removed-by-ours',
  );

test('there are at least sixty', () => {
  expect(cases.length).toBeGreaterThanOrEqual(60);
});

describe.each([...new Set(cases.map(({ file }) => file))])('%s', (file) => {
  const own = cases.filter((one) => one.file === file);

  test.each(own.map((one) => [one.title, one] as const))('%s', async (_, one) => {
    const nodes = newNodes();
    const merge = await mergeRoots(
      nodes,
      {
        base: await rootWith(nodes, one.base),
        ours: await rootWith(nodes, one.ours),
        theirs: await rootWith(nodes, one.theirs),
      },
      optionsOf(one),
    );
    expect(await conflictLines(nodes, merge)).toEqual([...one.conflicts].sort());
    const decided = merge.resolved.decisions.map(({ key, column, rule, result }) =>
      [key.join('/'), column ?? '-', rule, result].filter((part) => part !== null).join(' '),
    );
    expect(decided).toEqual(one.resolved);
    expect(merge.resolved.count).toBe(one.resolved.length);
    if (one.merged === null) expect(await readTableOf(nodes, merge.root)).toBeNull();
    else expect(merge.root).toBe(await rootWith(nodes, one.merged));
  });

  test.each(own.filter(({ oneWay }) => !oneWay).map((one) => [one.title, one] as const))(
    '%s, sides swapped',
    async (_, one) => {
      const nodes = newNodes();
      const sides = {
        base: await rootWith(nodes, one.base),
        ours: await rootWith(nodes, one.theirs),
        theirs: await rootWith(nodes, one.ours),
      };
      const merge = await mergeRoots(nodes, sides, optionsOf(one));
      expect(await conflictLines(nodes, merge)).toEqual([...one.conflicts].map(swapSide).sort());
      if (one.conflicts.length === 0) expect(merge.root).toBe(await rootWith(nodes, one.merged));
    },
  );
});

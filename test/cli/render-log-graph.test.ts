/**
 * `log --graph`: the drawings themselves, and over random graphs that whoever follows the
 * lines with a finger comes from each commit to exactly its parents.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogGraph } from '../../src/cli/render/log-graph.ts';
import { walkTopological } from '../../src/model/topological.ts';
import { commitGraph, storeGraph } from '../support/commit-graph.ts';

type Commits = readonly (readonly [name: string, ...parents: string[]])[];

/** Each commit with its name behind it, and the lines below. */
function draw(commits: Commits): string {
  const graph = new LogGraph();
  const lines = commits.flatMap(([name, ...parents]) => {
    const { above, commit, links } = graph.next(name, parents);
    return [...(above === undefined ? [] : [above]), `${commit} ${name}`, ...links];
  });
  return `\n${lines.join('\n')}\n`;
}

describe('draws', () => {
  const cases: readonly [what: string, commits: Commits, drawing: string][] = [
    [
      'a line',
      [['c', 'b'], ['b', 'a'], ['a']],
      `
* c
* b
* a
`,
    ],
    [
      'a fork',
      [['x', 'a'], ['y', 'a'], ['a']],
      `
* x
| * y
|/
* a
`,
    ],
    [
      'a merge',
      [['m', 'p', 't'], ['t', 'b'], ['p', 'b'], ['b']],
      `
* m
|\\
| * t
* | p
|/
* b
`,
    ],
    [
      'a merge beside another line, which moves over and back',
      [['m', 'p', 't'], ['n', 'b'], ['t', 'b'], ['p', 'b'], ['b']],
      `
* m
|\\
| | * n
| * | t
| |/
* | p
|/
* b
`,
    ],
    [
      'a merge of a line that is drawn already',
      [['m', 'l', 't'], ['t', 's'], ['l', 'k', 's'], ['s', 'r'], ['k', 'r'], ['r']],
      `
* m
|\\
| * t
* | l
|\\|
| * s
* | k
|/
* r
`,
    ],
    [
      'a merge of a line to the left',
      [['x', 'a'], ['m', 'p', 'a'], ['p', 'a'], ['a']],
      `
* x
| * m
|/|
| * p
|/
* a
`,
    ],
    [
      'an octopus',
      [['o', 'p', 'q', 'r'], ['r', 'b'], ['q', 'b'], ['p', 'b'], ['b']],
      `
* o
|\\
| |\\
| | * r
| * | q
| |/
* | p
|/
* b
`,
    ],
    [
      'a criss-cross',
      [['m', 'a', 'b'], ['n', 'b', 'a'], ['a', 'r'], ['b', 'r'], ['r']],
      `
* m
|\\
| | * n
| | |\\
| |/ /
|_|/
* | a
| * b
|/
* r
`,
    ],
    [
      'a line that ends, and those to its right that move up',
      [['x', 'k'], ['r'], ['y', 'k'], ['s'], ['k']],
      `
* x
| * r
|
| * y
|/
| * s
* k
`,
    ],
    [
      'lines that cross others to join',
      [['x', 'a'], ['y', 'b'], ['z', 'a'], ['b', 'a'], ['a']],
      `
* x
| * y
| | * z
|_|/
| * b
|/
* a
`,
    ],
  ];
  test.each(cases)('%s', (_, commits, drawing) => {
    expect(draw(commits)).toBe(drawing);
  });

  test('a commit that is not shown by nothing but its line', () => {
    const graph = new LogGraph();
    graph.next('c', ['b']);
    expect(graph.pass('b', ['a'])).toEqual([]);
    expect(graph.pass('a', ['p', 't'])).toEqual(['|\\']);
    expect(graph.next('t', []).commit).toBe('| *');
    expect(graph.pass('not on any line', ['q'])).toEqual([]);
    expect(graph.next('p', []).commit).toBe('*');
  });
});

/** Where the lines lead: the commits that each lane comes from, moved along line by line. */
class Finger {
  lanes: Set<string>[] = [];
  readonly children = new Map<string, Set<string>>();

  commit(line: string, name: string): void {
    const at = line.indexOf('*') / 2;
    expect(line).toMatch(/^(?:\| )*\*(?: \|)*$/);
    this.lanes.length = (line.length + 1) / 2;
    this.children.set(name, this.lanes[at] ?? new Set());
    this.lanes[at] = new Set([name]);
  }

  follow(link: string): void {
    const next: Set<string>[] = [];
    const lead = (from: number, to: number) => {
      next[to] = new Set([...(next[to] ?? []), ...(this.lanes[from] ?? [])]);
    };
    for (const lane of this.lanes.keys()) {
      if (link[2 * lane] === '|') lead(lane, lane);
      if (link[2 * lane + 1] === '\\') lead(lane, lane + 1);
      if (link[2 * lane - 1] !== '/') continue;
      let to = lane - 1;
      while (link[2 * to - 1] === '_') to -= 1;
      lead(lane, to);
    }
    this.lanes = next;
  }
}

test('following the lines leads from every commit to its parents', async () => {
  await fc.assert(
    fc.asyncProperty(commitGraph, fc.array(fc.nat(), { maxLength: 4 }), async (graph, picks) => {
      const [store, hashes] = await storeGraph(graph, (i) => i);
      const starts = [graph.length - 1, ...picks.map((pick) => pick % graph.length)];
      const drawing = new LogGraph();
      const finger = new Finger();
      const expected = new Map<string, Set<string>>();
      const walk = walkTopological(
        store,
        starts.map((i) => hashes[i]),
      );
      for await (const { hash, parents } of walk) {
        const row = drawing.next(hash, parents);
        if (row.above !== undefined) finger.follow(row.above);
        finger.commit(row.commit, hash);
        for (const link of row.links) finger.follow(link);
        expected.set(hash, expected.get(hash) ?? new Set());
        for (const parent of parents) {
          expected.set(parent, (expected.get(parent) ?? new Set()).add(hash));
        }
      }
      expect(finger.children).toEqual(expected);
    }),
  );
});

/**
 * `history`, `blame`, `bisect` and exports with versions, against reading every version of the
 * table and comparing: over histories with branches and merges.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { add } from '../../src/porcelain/add.ts';
import { bisectMark, bisectReset, bisectStart, bisectWhere } from '../../src/porcelain/bisect.ts';
import { exportVersions } from '../../src/porcelain/export-versions.ts';
import { merge } from '../../src/porcelain/merge.ts';
import { readRows } from '../../src/porcelain/read-rows.ts';
import { remove } from '../../src/porcelain/remove.ts';
import { type Repository, resolveCommit } from '../../src/porcelain/repository.ts';
import { blame, changedCells, historyOf, readOneRow } from '../../src/porcelain/row-questions.ts';
import { Branched, csv, FILE } from '../support/branched.ts';
import { collect } from '../support/table-diffs.ts';

const KEYS = [1, 2, 3, 4, 5, 6];

/** What a step writes: a value for a column of a row, or the row goes. */
interface Step {
  readonly kind: 'edit' | 'remove' | 'side' | 'merge' | 'other';
  readonly key: number;
  readonly column: 'a' | 'b';
  readonly value: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('edit', 'edit', 'edit', 'remove', 'side', 'merge', 'other'),
    key: fc.constantFrom(...KEYS),
    column: fc.constantFrom('a', 'b'),
    value: fc.nat({ max: 3 }),
  }),
  { minLength: 3, maxLength: 12 },
);

type Rows = Map<number, { a: number; b: number }>;

const textOf = (rows: Rows): string =>
  csv('id,a,b', ...[...rows].sort(([x], [y]) => x - y).map(([id, { a, b }]) => `${id},${a},${b}`));

function parse(text: string): Rows {
  const lines = text.trimEnd().split('\n').slice(1);
  const cells = lines.map((line) => line.split(',').map(Number));
  return new Map(cells.map(([id, a, b]) => [id, { a, b }]));
}

/** Commits that follow from the steps; two branches that merge into each other. */
async function play(scene: Branched, list: readonly Step[]): Promise<void> {
  let [here, there] = ['main', 'side'];
  for (const { kind, key, column, value } of list) {
    const rows = parse(scene.read());
    const row = rows.get(key) ?? { a: 0, b: 0 };
    if (kind === 'side') {
      await scene.go(there);
      [here, there] = [there, here];
    } else if (kind === 'merge') {
      await merge(scene.repo, [there], { resolve: 'ours', fastForward: 'no' });
    } else if (kind === 'other') {
      await scene.commit(`${scene.read('README')}${value}\n`, 'other', 'README');
    } else {
      const changed = kind === 'remove' ? undefined : { ...row, [column]: row[column] + value };
      if (changed === undefined) rows.delete(key);
      else rows.set(key, changed);
      if (textOf(rows) !== scene.read()) await scene.commit(textOf(rows), `${kind} ${key}`);
    }
  }
}

async function open(list: readonly Step[]): Promise<Branched> {
  const scene = await Branched.open(csv('id,a,b', ...KEYS.map((id) => `${id},0,0`)));
  await scene.commit('other\n', 'other', 'README');
  await scene.fork('side');
  await scene.go('main');
  await play(scene, list);
  return scene;
}

/** Rows by key, as JSON, in every commit that is asked about. */
class Versions {
  readonly #repo: Repository;
  readonly #known = new Map<Hash, Map<string, string>>();

  constructor(repo: Repository) {
    this.#repo = repo;
  }

  async at(commit: Hash): Promise<Map<string, string>> {
    const known = this.#known.get(commit);
    if (known !== undefined) return known;
    const rows = new Map<string, string>();
    for await (const batch of readRows(this.#repo, `${commit}:${FILE}`)) {
      for (const row of batch) rows.set(row.id!, JSON.stringify(row));
    }
    this.#known.set(commit, rows);
    return rows;
  }

  /** The parent that has a row as the commit has it; else all. */
  async before(commit: Hash, key: string): Promise<{ same?: Hash; parents: readonly Hash[] }> {
    const { parents } = await readCommit(this.#repo.store, commit);
    const row = (await this.at(commit)).get(key);
    for (const parent of parents) {
      if ((await this.at(parent)).get(key) === row) return { same: parent, parents };
    }
    return { parents };
  }

  async history(head: Hash, key: string): Promise<Set<Hash>> {
    const found = new Set<Hash>();
    const seen = new Set<Hash>([head]);
    for (const commit of seen) {
      const { same, parents } = await this.before(commit, key);
      if (same === undefined) {
        const rows = [commit, ...parents.slice(0, 1)].map((hash) => this.at(hash));
        if ((await Promise.all(rows)).some((one) => one.has(key))) found.add(commit);
      }
      for (const hash of same === undefined ? parents : [same]) seen.add(hash);
    }
    return found;
  }

  async blame(head: Hash, key: string): Promise<Hash> {
    const { same } = await this.before(head, key);
    return same === undefined ? head : this.blame(same, key);
  }
}

/** Both sides of the merge are passed over down to the commit before they part. */
const PARTED: Step[] = [
  { kind: 'edit', key: 1, column: 'a', value: 1 },
  { kind: 'edit', key: 3, column: 'a', value: 1 },
  { kind: 'side', key: 1, column: 'a', value: 0 },
  { kind: 'edit', key: 3, column: 'b', value: 1 },
  { kind: 'merge', key: 1, column: 'a', value: 0 },
];

test('history and blame find what comparing all versions finds', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      await using scene = await open(list);
      const { repo } = scene;
      const versions = new Versions(repo);
      const head = await resolveCommit(repo, 'HEAD');
      for (const key of KEYS.map(String)) {
        const found: Hash[] = [];
        for await (const { commit } of historyOf(repo, FILE, [key])) found.push(commit);
        expect(new Set(found)).toEqual(await versions.history(head, key));
        expect(found.length).toBe(new Set(found).size);
      }
      const blamed = new Map<string, Hash>();
      for await (const batch of blame(repo, FILE)) {
        for (const { row, commit } of batch) blamed.set(row[0]!, commit);
      }
      const present = [...(await versions.at(head)).keys()];
      expect([...blamed.keys()]).toEqual(present);
      for (const key of present) expect(blamed.get(key)).toBe(await versions.blame(head, key));
    }),
    { numRuns: 20, examples: [[PARTED]] },
  );
});

/** Six commits: who set what is plain to see. */
async function told(): Promise<{ scene: Branched; commits: Hash[] }> {
  const scene = await Branched.open(csv('id,a,b', '1,x,1', '2,y,2'));
  const texts = [
    csv('id,a,b', '1,X,1', '2,y,2'),
    csv('id,a,b', '1,X,1', '2,y,22'),
    csv('id,a,b', '2,y,22'),
    csv('id,a,b', '1,again,9', '2,y,22'),
    csv('id,a,b,c', '1,again,9,', '2,y,22,new'),
  ];
  const commits = [await resolveCommit(scene.repo, 'HEAD')];
  for (const [i, text] of texts.entries()) {
    commits.push(await resolveCommit(scene.repo, await scene.commit(text, `commit ${i + 1}`)));
  }
  return { scene, commits };
}

test('every version of a row, with the cells that it set', async () => {
  const { scene, commits } = await told();
  await using _ = scene;
  const versions: unknown[] = [];
  for await (const version of historyOf(scene.repo, FILE, ['1'])) {
    const cells = changedCells(version).map(({ name, from, to }) => `${name}: ${from} -> ${to}`);
    versions.push([commits.indexOf(version.commit), version.change, ...cells]);
  }
  expect(versions).toEqual([
    [4, 'added', 'id: undefined -> 1', 'a: undefined -> again', 'b: undefined -> 9'],
    [3, 'removed', 'id: 1 -> undefined', 'a: X -> undefined', 'b: 1 -> undefined'],
    [1, 'modified', 'a: x -> X'],
    [0, 'added', 'id: undefined -> 1', 'a: undefined -> x', 'b: undefined -> 1'],
  ]);
  const only: number[] = [];
  for await (const { commit } of historyOf(scene.repo, FILE, ['2'], { columns: ['b'] })) {
    only.push(commits.indexOf(commit));
  }
  expect(only).toEqual([2, 0]);
  await expect(historyOf(scene.repo, FILE, ['9']).next()).rejects.toMatchObject({
    code: 'unknown-row',
  });
  const { row } = await readOneRow(scene.repo, `${commits[0]}:${FILE}`, ['1']);
  expect(row).toEqual(['1', 'x', '1']);
});

test('blame of cells, and of rows that match', async () => {
  const { scene, commits } = await told();
  await using _ = scene;
  const found: unknown[] = [];
  for await (const batch of blame(scene.repo, FILE, { cells: 'all', where: 'id = 2' })) {
    for (const { commit, cells } of batch) {
      found.push([commits.indexOf(commit), [...cells].map(([n, c]) => [n, commits.indexOf(c)])]);
    }
  }
  const [[, cells]] = found as [[number, [string, number][]]];
  expect(found.length).toBe(1);
  expect(Object.fromEntries(cells)).toEqual({ id: 0, a: 0, b: 2, c: 5 });
});

test('an export with versions names the commit of each row', async () => {
  const { scene, commits } = await told();
  await using _ = scene;
  let text = '';
  for await (const piece of exportVersions(scene.repo, FILE)) text += Buffer.from(piece);
  const lines = text.trimEnd().split('\n');
  expect(lines[0]).toBe('id,a,b,c,_commit,_time,_author');
  expect(lines.slice(1).map((line) => line.split(',')[4])).toEqual([commits[4], commits[5]]);
});

test('bisect finds the commit that made a condition true, by itself and by hand', async () => {
  const { scene, commits } = await told();
  await using _ = scene;
  const { repo } = scene;
  expect(commits.indexOf((await bisectWhere(repo, FILE, 'b = 22')).commit)).toBe(2);
  // A column that older versions have not.
  expect(commits.indexOf((await bisectWhere(repo, FILE, "c = 'new'")).commit)).toBe(5);
  const refused = expect.objectContaining({ code: 'bad-bisect' });
  await expect(bisectWhere(repo, FILE, 'b = 77')).rejects.toEqual(refused);
  const unknown = expect.objectContaining({ code: 'unknown-table' });
  await expect(bisectWhere(repo, 'none.csv', 'b = 22')).rejects.toEqual(unknown);
  await expect(bisectWhere(repo, FILE, 'b = 22', { good: ['HEAD~1'] })).rejects.toEqual(refused);
  await bisectStart(repo, 'HEAD', [commits[0]]);
  for (let at = await scene.head(); ; at = await scene.head()) {
    const verdict = scene.read().includes(',22') ? 'bad' : 'good';
    const { found } = await bisectMark(repo, verdict, [at!]);
    if (found === null) continue;
    expect(commits.indexOf(found)).toBe(2);
    break;
  }
  await bisectReset(repo);
  expect(await scene.head()).toBe(commits[5]);
  expect(await scene.problems()).toEqual([]);
});

test('a revision as of a time is the newest commit of then', async () => {
  const { scene, commits } = await told();
  await using _ = scene;
  const { committer } = await readCommit(scene.repo.store, commits[2]);
  const then = { ...scene.repo, asOf: committer.time };
  expect(await resolveCommit(then, 'HEAD')).toBe(commits[2]);
  await expect(resolveCommit({ ...scene.repo, asOf: 0 }, 'HEAD')).rejects.toMatchObject({
    code: 'bad-revision',
  });
});

test('what is only staged changes nothing about history: not its columns, nor that it is gone', async () => {
  await using scene = await Branched.open(csv('id,a,b', '1,0,0', '2,0,0'));
  const { repo } = scene;
  const asked = async () => ({
    versions: Buffer.concat(await collect(exportVersions(repo, FILE))).toString(),
    blamed: (await collect(blame(repo, FILE, { cells: 'all' }))).flat().map(({ row }) => row),
    history: (await collect(historyOf(repo, FILE, ['1'], { columns: ['a'] }))).length,
  });
  const before = await asked();
  scene.write(csv('new,b,id', 'x,0,1', 'y,0,2'));
  await add(repo, [scene.path]);
  expect(await asked()).toEqual(before);
  await remove(repo, [scene.path], { force: true });
  expect(await asked()).toEqual(before);
});

/** `dv log` and `dv show` for people: which commits, in which form, streaming, drawn. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { newCommit } from '../../src/porcelain/commit.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { DV, runProgram } from '../support/cli.ts';
import { CITIES, Shell } from '../support/everyday.ts';
import { testEnvironment } from '../support/repository.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 10, 12);

/** Makes commits without changes by hand: with several parents, at given times. */
async function writeCommits(
  directory: string,
  commits: readonly (readonly [message: string, ...parents: string[]])[],
  refs: Readonly<Record<string, string>>,
): Promise<void> {
  const repo = await openRepository(directory, testEnvironment());
  const made = new Map<string, Hash>();
  for (const [day, [message, ...parents]] of commits.entries()) {
    const hashes = parents.map((name) => made.get(name) as Hash);
    made.set(message, await writeCommit(repo, message, hashes, START + day * DAY));
  }
  for (const [name, message] of Object.entries(refs)) {
    const old = (await repo.store.getRef(name)) ?? null;
    await repo.store.transact({ refs: [{ name, old, new: made.get(message) as Hash }] });
  }
  await repo.close();
}

async function writeCommit(
  repo: Repository,
  message: string,
  parents: readonly Hash[],
  time: number,
): Promise<Hash> {
  const person = { name: message === 'm' ? 'Bob' : 'Ada', email: 'a@example.org', time, zone: 90 };
  const head = (await repo.store.getRef('refs/heads/seed')) as Hash;
  const { root } = await readCommit(repo.store, head);
  const object = { root, parents, author: person, committer: person, message, extra: {} };
  const chunk = await newCommit(repo, object);
  await repo.store.putMany([chunk]);
  return chunk.hash;
}

describe('a history with merges', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await Shell.openCommitted(mkdtempSync(join(tmpdir(), 'dv-test-')));
    await shell.ok('branch', '-m', 'seed');
    // a - b - m - o - d    m merges t into b; o merges u and v at once
    await writeCommits(
      shell.directory,
      [
        ['a'],
        ['t', 'a'],
        ['b', 'a'],
        ['m', 'b', 't'],
        ['u', 'm'],
        ['v', 'm'],
        ['o', 'm', 'u', 'v'],
        ['d', 'o'],
      ],
      { 'refs/heads/main': 'd', 'refs/tags/v1': 'm', 'refs/heads/topic': 't' },
    );
  });

  afterAll(() => rmSync(shell.directory, { recursive: true, force: true }));

  test('is drawn with all its lines', async () => {
    const drawn = await shell.ok('log', '--graph', '--format=%s%d', 'main');
    expect(drawn).toBe(`* d (main)
*     o
|\\
| |\\
| | * v
|_|/
| * u
|/
*   m (tag: v1)
|\\
| * t (topic)
* | b
|/
* a
`);
  });

  test('has every line of a commit beside its graph', async () => {
    const drawn = await shell.ok('log', '--graph', '--abbrev-commit', 'v1');
    expect(
      drawn
        .replaceAll(/(?<=commit )[0-9a-f]{7}/g, '#######')
        .replaceAll(/: [0-9a-f]{7} [0-9a-f]{7}$/gm, ': # #'),
    ).toBe(`*   commit #######
|\\  Merge: # #
| | Author: Bob <a@example.org>
| | Date:   Tue Jan 13 13:30:00 2026 +0130
| |
| |     m
| |
| * commit #######
| | Author: Ada <a@example.org>
| | Date:   Sun Jan 11 13:30:00 2026 +0130
| |
| |     t
| |
* | commit #######
|/  Author: Ada <a@example.org>
|   Date:   Mon Jan 12 13:30:00 2026 +0130
|
|       b
|
* commit #######
  Author: Ada <a@example.org>
  Date:   Sat Jan 10 13:30:00 2026 +0130

      a
`);
  });

  const cases: readonly [flags: string, subjects: string][] = [
    ['main', 'd o v u m b t a'],
    ['-3 main', 'd o v'],
    ['-n 2 --skip 1 main', 'o v'],
    ['-0 main', ''],
    ['--reverse main', 'a t b m u v o d'],
    ['--reverse -2 main', 'o d'],
    ['--first-parent main', 'd o m b a'],
    ['topic..main', 'd o v u m b'],
    ['main ^v1', 'd o v u'],
    ['v1..topic', ''],
    ['topic', 't a'],
    ['--since 2026-01-13 main', 'd o v u m'],
    ['--after 2026-01-12T12:00:00Z --before 2026-01-13T12:00:00Z main', 'm b'],
    ['--author bob main', ''],
    ['--author bob -i main', 'm'],
    ['--author Ada --grep [do] main', 'd o'],
    ['--grep a --grep ( main', 'a'],
    ['-1 v1^2', 't'],
    ['-1 main~2^2', 't'],
  ];
  test.each(cases)('log %s', async (flags, subjects) => {
    const words = flags.split(' ').filter(Boolean);
    const expected = subjects === '' ? '' : `${subjects.replaceAll(' ', '\n')}\n`;
    expect(await shell.ok('log', '--format=%s', ...words)).toBe(expected);
  });

  test('of which filters leave some: the lines go on through the others', async () => {
    expect(await shell.ok('log', '--graph', '--format=%s', '--grep', '[dtba]', 'main')).toBe(`* d
|\\
| |\\
|_|/
|/
|\\
| * t
* | b
|/
* a
`);
  });
});

describe('formats', () => {
  test('all of git’s', async () => {
    const shell = await Shell.openCommitted();
    await shell.ok('commit', '--allow-empty', '-m', 'Second\n\nBody 100%', '--date', '@0');
    const [hash, short, parent] = (await shell.ok('log', '-1', '--format=%H %h %P'))
      .trim()
      .split(' ');
    const show = (format: string) => shell.ok('log', '-1', `--pretty=${format}`);
    expect(hash.startsWith(short)).toBe(true);
    expect(await show('oneline')).toBe(`${short} Second\n`);
    expect(await show('short')).toBe(
      `commit ${hash}\nAuthor: Test Author <test@example.org>\n\n    Second\n`,
    );
    expect(await show('full')).toMatch(
      /^commit .*\nAuthor: .*\nCommit: .*\n\n {4}Second\n\n {4}Body/,
    );
    expect(await show('fuller')).toContain('AuthorDate: Thu Jan 1 00:00:00 1970 +0000\n');
    expect(await show('%p|%b|%B|%aI|%as|%at|%n%%|%x|%D')).toBe(
      `${parent.slice(0, 7)}|Body 100%|Second\n\nBody 100%|1970-01-01T00:00:00+00:00|1970-01-01|0|\n%|%x|HEAD -> main\n`,
    );
    expect(await show('format:%ar')).toMatch(/^\d+ years ago\n$/);
    expect(await shell.ok('log', '--oneline', '--decorate', '-1')).toBe(
      `${short} (HEAD -> main) Second\n`,
    );
  });

  test('with counts, and only of a table', async () => {
    const shell = await Shell.openCommitted();
    shell.write('README.md', 'x');
    shell.write('cities.csv', `${CITIES}4,Chur,1\n`);
    await shell.ok('add', '.');
    await shell.ok('commit', '-m', 'Second');
    await shell.commit('other.csv', 'id\n1\n', 'Third');
    const counts = await shell.ok('log', '--stat', '--format=%s', '--', 'cities.csv');
    expect(counts).toBe(`Second
 cities.csv | 1 row added
 README.md  | file added
First
 cities.csv | 3 rows added
`);
    expect(await shell.ok('log', '--format=%s', 'other.csv')).toBe('Third\n');
    expect(await shell.ok('show', '--oneline', 'HEAD~1', '--', 'cities.csv')).toMatch(
      /^.{7} Second\n\ncities\.csv {2}key id\n\+ 4 {2}name: Chur {2}population: 1\n {2}1 added\n$/,
    );
  });
});

test('show has the commit above text, and nothing above what a program reads', async () => {
  const shell = await Shell.openCommitted();
  await shell.commit('cities.csv', CITIES.replace('Bern', 'Berne'), 'Second');
  expect(await shell.ok('show', '--name-only')).toMatch(/^commit .*\n(?:.*\n)+\ncities\.csv\n$/);
  expect(await shell.ok('show', '--format', 'csv')).toMatch(/^[^\n]*id[^\n]*\n/);
  expect(await shell.ok('show', '--format', 'patch')).not.toContain('Author');
  expect(await shell.ok('show', '-s', '--oneline', 'HEAD', 'HEAD~1')).toMatch(
    /^.{7} Second\n\n.{7} First\n$/,
  );
  await shell.ok('tag', '-m', 'As published', 'v1');
  expect(await shell.ok('show', '-s', 'v1')).toMatch(
    /^tag v1\nTagger: Test Author <test@example\.org>\nDate: .*\n\nAs published\n\ncommit /,
  );
});

describe('between programs', () => {
  test('a reader that goes away is no failure', async () => {
    const shell = await Shell.openCommitted();
    const line = `set -o pipefail; '${DV}' log --json --all | head -n 1 | wc -l`;
    const { status, stdout, stderr } = await runProgram('bash', ['-c', line], {
      cwd: shell.directory,
    });
    expect([status, stdout.trim(), stderr]).toEqual([0, '1', '']);
  });

  test('a reader may take only the first of many', async () => {
    const shell = await Shell.openCommitted();
    await shell.ok('branch', '-m', 'seed');
    const many = Array.from({ length: 3000 }, (_, i): [string, ...string[]] =>
      i === 0 ? ['0'] : [String(i), String(i - 1)],
    );
    await writeCommits(shell.directory, many, { 'refs/heads/main': '2999' });
    const line = `'${DV}' log --format=%s main | { read first; echo "$first"; }; echo "\${PIPESTATUS[0]}"`;
    const { stdout } = await runProgram('bash', ['-c', line], { cwd: shell.directory });
    expect(stdout).toBe('2999\n0\n');
    expect((await shell.ok('log', '--format=%s', 'main')).split('\n').length).toBe(3001);
  });

  test('no colour unless asked for, and text that a terminal would obey only as it is', async () => {
    const shell = await Shell.openCommitted();
    await shell.ok('commit', '--allow-empty', '-m', 'red \u001b[31m text');
    expect(await shell.ok('log', '-1', '--format=%s')).toBe('red \u001b[31m text\n');
    const colored = await shell.ok('log', '-1', '--oneline', '--color=always');
    expect(colored).toContain('\u001b[33m');
    const env = { NO_COLOR: '1', FORCE_COLOR: '1' };
    const { stdout } = await shell.run(['log', '-1', '--oneline'], { env });
    expect(stdout).not.toContain('\u001b[33m');
    expect(await shell.ok('-C', join(shell.directory), 'status')).not.toContain('\u001b');
  });
});

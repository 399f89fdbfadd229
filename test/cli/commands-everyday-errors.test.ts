/** What the everyday commands refuse: exit status, message and hint; and nothing has changed. */
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/cli.ts';
import { Shell } from '../support/everyday.ts';

type Case = readonly [line: string, status: number, stderr: string];

function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

async function expectRefusals(shell: Shell, cases: readonly Case[]): Promise<void> {
  for (const [line, status, stderr] of cases) {
    const run = await shell.run(wordsOf(line));
    expect([line, run.status, run.stderr, run.stdout]).toEqual([line, status, stderr, '']);
  }
}

describe('is refused with what to do instead', () => {
  test('before there is anything', async () => {
    await expectRefusals(new Shell(temporaryDirectory()), [
      ['init -b a..b', 2, 'error: branch name "a..b" has \'..\'\n'],
    ]);
    await expectRefusals(await Shell.open(), [
      [
        'log',
        3,
        "error: branch 'main' has no commits yet\nhint: dv add FILE, then dv commit -m MESSAGE\n",
      ],
      [
        'branch fix',
        3,
        "error: branch 'main' has no commits yet\nhint: dv add FILE, then dv commit -m MESSAGE\n",
      ],
      ['commit -m x', 3, 'error: nothing to commit\nhint: dv add FILE stages a table\n'],
      ['commit --amend -m x', 3, 'error: there is no commit to amend yet\nhint: dv commit\n'],
      [
        'add',
        2,
        'error: nothing was named to add\nhint: dv add FILE, or dv add -A for everything\n',
      ],
      ['add none.csv', 3, "error: there is no file 'none.csv'\n"],
      [
        'checkout main',
        2,
        "error: unknown command 'checkout'\nhint: dv switch changes the branch, dv restore puts files back\n",
      ],
    ]);
  });

  test('around commits', async () => {
    const shell = await Shell.openCommitted();
    await shell.ok('tag', 'v1');
    await expectRefusals(shell, [
      [
        'commit -m x',
        3,
        'error: nothing to commit\nhint: dv add stages what changed; dv status shows it\n',
      ],
      ['commit --allow-empty', 2, 'error: a commit needs a message\nhint: dv commit -m MESSAGE\n'],
      ['commit --allow-empty -m x -F y', 2, "error: '--message' and '--file' exclude each other\n"],
      [
        'commit --allow-empty -m x --author Ada',
        2,
        'error: "Ada" is not an author\nhint: --author "Ada Lovelace <ada@example.org>"\n',
      ],
      [
        'commit --allow-empty -m x --date never',
        2,
        'error: "never" is not a date\nhint: --date 2026-11-01T12:00\n',
      ],
      ['branch main', 3, "error: branch 'main' exists already\nhint: dv branch --force moves it\n"],
      [
        'branch Main',
        3,
        "error: 'Main' and 'main' differ only by case\nhint: 'main' exists; choose another name\n",
      ],
      [
        'switch -c MAIN',
        3,
        "error: 'MAIN' and 'main' differ only by case\nhint: 'main' exists; choose another name\n",
      ],
      [
        'branch -d main',
        2,
        "error: 'main' is the current branch\nhint: dv switch to another branch first\n",
      ],
      ['branch -d nope', 2, "error: there is no branch 'nope'\nhint: dv branch lists them\n"],
      [
        'switch nope',
        2,
        "error: there is no branch 'nope'\nhint: dv switch -c nope makes it; dv branch lists what there is\n",
      ],
      [
        'switch v1',
        2,
        "error: 'v1' is a commit, not a branch\nhint: dv switch --detach v1 looks at it; dv switch -c BRANCH v1 begins there\n",
      ],
      ['switch -', 2, 'error: there is no branch to go back to\nhint: dv branch\n'],
      ['tag v1', 3, "error: tag 'v1' exists already\nhint: dv tag --force moves it\n"],
      ['tag -d v2', 2, "error: there is no tag 'v2'\nhint: dv tag lists them\n"],
      [
        'tag -a v2',
        2,
        'error: an annotated tag needs a message\nhint: dv tag -a -m MESSAGE NAME\n',
      ],
    ]);
    expect(await shell.ok('log', '--oneline', '--all')).toMatch(/^[0-9a-f]{7} First\n$/);
  });

  test('around files and revisions', async () => {
    const shell = await Shell.openCommitted();
    shell.write('cities.csv', 'id,name\n1,a\n');
    await expectRefusals(shell, [
      [
        'rm cities.csv',
        3,
        "error: 'cities.csv' has changes that are not staged\nhint: dv rm --cached keeps the file, --force removes it all the same\n",
      ],
      ['rm .', 2, "error: '.' is a directory\nhint: dv rm -r . removes all that is in it\n"],
      [
        'mv cities.csv towns.csv',
        3,
        "error: 'cities.csv' has changes that are not staged\nhint: dv add cities.csv or dv restore cities.csv, then again\n",
      ],
      [
        'restore nope.csv',
        2,
        "error: there is no table 'nope.csv' in the source or the stage\nhint: dv ls-tree HEAD lists the tables\n",
      ],
      [
        'restore -s nope cities.csv',
        2,
        'error: "nope" names no commit\nhint: dv log --oneline, dv branch and dv tag list what there is\n',
      ],
      ['reset --hard --soft', 2, "error: '--soft' and '--hard' exclude each other\n"],
      [
        'reset --hard -- cities.csv',
        2,
        "error: '--hard' does not go with paths\nhint: dv restore --source REV PATH writes files\n",
      ],
      [
        'show HEAD:nope.csv',
        2,
        "error: there is no table 'nope.csv' in 'HEAD'\nhint: dv ls-tree HEAD lists the tables\n",
      ],
      [
        'log HEAD~5',
        2,
        'error: "HEAD~5" names no commit\nhint: dv log --oneline, dv branch and dv tag list what there is\n',
      ],
      [
        'log --since soon',
        2,
        'error: "soon" is not a date\nhint: --since 2026-11-01, --since yesterday or --since "2 weeks ago"\n',
      ],
      [
        'log --format=nice',
        2,
        'error: \'nice\' is no format of commits\nhint: oneline, short, medium, full, fuller, or a template such as "%h %an: %s"\n',
      ],
      ['log -n few', 2, "error: 'few' is no whole number\n"],
      ['status --short extra', 2, expect.stringContaining('too many arguments') as never],
    ]);
    expect(await shell.ok('status', '-s')).toBe(' M cities.csv\n');
  });

  test('without an author', async () => {
    const shell = await Shell.openCommitted();
    const env = { DV_AUTHOR_NAME: undefined, DV_AUTHOR_EMAIL: undefined };
    const { status, stderr } = await shell.run(['commit', '--allow-empty', '-m', 'x'], { env });
    expect([status, stderr]).toEqual([
      2,
      'error: dv does not know your name\n' +
        'hint: dv config --global user.name "Your Name" && dv config --global user.email you@example.org\n',
    ]);
    expect((await shell.run(['switch', '-c', 'fix'], { env })).status).toBe(0);
  });
});

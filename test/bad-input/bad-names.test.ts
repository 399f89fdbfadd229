/** Names, revisions and people that cannot be: refused, and nothing changed. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { readCommit } from '../../src/model/object-reader.ts';
import { type Commit, encodeCommit, toChunk } from '../../src/model/objects.ts';
import { add } from '../../src/porcelain/add.ts';
import { createBranch, renameBranch } from '../../src/porcelain/branch.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { importFile } from '../../src/porcelain/import-file.ts';
import { catObject } from '../../src/porcelain/inspect.ts';
import { initRepository } from '../../src/porcelain/open-repository.ts';
import { rename } from '../../src/porcelain/remove.ts';
import { type Repository, resolveCommit } from '../../src/porcelain/repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { createTag } from '../../src/porcelain/tag.ts';
import { testEnvironment } from '../support/repository.ts';
import {
  CITIES,
  expectError,
  expectRefusal,
  type Refusal,
  setScene,
  withFile,
  withRepository,
} from './scene.ts';

let directory: string;
let outside: string;
beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), 'dv-bad-'));
  directory = join(outside, 'repository');
  mkdirSync(directory);
  writeFileSync(join(outside, 'other.csv'), CITIES);
  symlinkSync(outside, join(directory, 'link'));
  await setScene(directory);
});
afterAll(() => rmSync(outside, { recursive: true, force: true }));

type Act = (repo: Repository) => Promise<unknown>;
interface Case extends Refusal {
  readonly name: string;
  readonly act: Act;
}

function importAs(table: string): Act {
  return (repo) => importFile(repo, table, join(outside, 'other.csv'));
}

const bad = (message: string, hint?: RegExp) =>
  ({ code: 'bad-name', exit: 2, message, hint }) as const;
const twin = (message: string, hint: string) =>
  ({ code: 'name-collision', exit: 3, message, hint }) as const;
const ONE_FILE = 'on many file systems they are one file; rename one of them';

const TABLES: readonly Case[] = [
  { name: "'..'", act: importAs('a/../b'), ...bad(`table name "a/../b" has a part '..'`) },
  {
    name: "'..' at the start",
    act: importAs('../b.csv'),
    ...bad("'../b.csv' is outside the repository", /^the repository is /),
  },
  {
    name: 'a file outside',
    act: (repo) => add(repo, ['../other.csv']),
    ...bad("'../other.csv' is outside the repository", /^the repository is /),
  },
  {
    name: 'a file outside, through a link',
    act: (repo) => add(repo, ['link/other.csv']),
    ...bad("'link/other.csv' lies behind 'link', which is a link", /./),
  },
  {
    name: 'a table to be written outside, through a link',
    act: importAs('link/cities.csv'),
    ...bad("'link/cities.csv' lies behind 'link', which is a link", /./),
  },
  {
    name: 'a table below a file',
    act: importAs('notes.txt/cities.csv'),
    ...bad("'notes.txt/cities.csv' lies behind 'notes.txt', which is a file", /./),
  },
  {
    name: 'moved outside',
    act: (repo) => rename(repo, [['cities.csv', '../cities.csv']]),
    ...bad("'../cities.csv' is outside the repository", /^the repository is /),
  },
  {
    name: 'a control character',
    act: importAs('a\u0001'),
    ...bad('table name "a\\u0001" has a control character'),
  },
  {
    name: 'a line feed',
    act: importAs('a\nb.csv'),
    ...bad('table name "a\\nb.csv" has a control character'),
  },
  {
    name: 'a mark that reorders text',
    act: importAs('a\u202evsc'),
    ...bad('table name "a\u202evsc" has a control character'),
  },
  {
    name: "dv's own folder",
    act: importAs('.DV/x'),
    ...bad(`table name ".DV/x" has a part '.dv'`),
  },
  { name: 'no name', act: importAs(''), ...bad('table name "" is empty') },
  {
    name: 'too long for a file system',
    act: importAs('n'.repeat(300)),
    ...bad(`table name "${'n'.repeat(120)}…" has a part over 255 bytes`),
  },
  {
    name: 'the same but for case',
    act: importAs('CITIES.csv'),
    ...twin("'CITIES.csv' and 'cities.csv' differ only by case", ONE_FILE),
  },
  {
    name: 'the same but for case, moved',
    act: (repo) => rename(repo, [['notes.txt', 'Cities.csv']]),
    ...twin("'Cities.csv' and 'cities.csv' differ only by case", ONE_FILE),
  },
];

const REFS: readonly Case[] = [
  {
    name: "'..' in a branch",
    act: (repo) => createBranch(repo, 'a..b', 'HEAD'),
    ...bad(`branch name "a..b" has '..'`),
  },
  {
    name: "'..' in a tag",
    act: (repo) => createTag(repo, 'a/../b', 'HEAD'),
    ...bad(`tag name "a/../b" has '..'`),
  },
  {
    name: "'..' in a branch to switch to",
    act: (repo) => switchTo(repo, '../main', { create: true }),
    ...bad(`branch name "../main" has '..'`),
  },
  {
    name: 'a control character in a branch',
    act: (repo) => createBranch(repo, 'a\u001b[2J', 'HEAD'),
    ...bad('branch name "a\\u001b[2J" has a control character'),
  },
  {
    name: 'a control character in a tag',
    act: (repo) => createTag(repo, 'a\tb', 'HEAD'),
    ...bad('tag name "a\\tb" has a control character'),
  },
  {
    name: 'an option for a branch',
    act: (repo) => createBranch(repo, '-f', 'HEAD'),
    ...bad(`branch name "-f" starts with '-'`),
  },
  {
    name: 'HEAD for a branch',
    act: (repo) => renameBranch(repo, 'work', 'HEAD', false),
    ...bad('branch name "HEAD" is not allowed'),
  },
  {
    name: 'a branch that differs by case',
    act: (repo) => createBranch(repo, 'Main', 'HEAD'),
    ...twin("'Main' and 'main' differ only by case", "'main' exists; choose another name"),
  },
  {
    name: 'a branch that differs by case, switched to',
    act: (repo) => switchTo(repo, 'MAIN', { create: true }),
    ...twin("'MAIN' and 'main' differ only by case", "'main' exists; choose another name"),
  },
  {
    name: 'a branch that differs by case, renamed',
    act: (repo) => renameBranch(repo, 'work', 'MAIN', true),
    ...twin("'MAIN' and 'main' differ only by case", "'main' exists; choose another name"),
  },
  {
    name: 'a tag that differs by case',
    act: (repo) => createTag(repo, 'V1', 'HEAD'),
    ...twin("'V1' and 'v1' differ only by case", "'v1' exists; choose another name"),
  },
  {
    name: 'a branch that exists',
    act: (repo) => createBranch(repo, 'work', 'HEAD'),
    code: 'already-exists',
    exit: 3,
    message: "branch 'work' exists already",
    hint: 'dv branch --force moves it',
  },
  {
    name: 'a branch that does not',
    act: (repo) => switchTo(repo, 'nope'),
    code: 'unknown-ref',
    exit: 2,
    message: "there is no branch 'nope'",
    hint: /^dv switch -c nope makes it/,
  },
  {
    name: 'a revision that names nothing',
    act: (repo) => reset(repo, 'nope~1', 'hard'),
    code: 'bad-revision',
    exit: 2,
    message: '"nope" names no commit',
    hint: 'dv log --oneline, dv branch and dv tag list what there is',
    data: { revision: 'nope' },
  },
];

const PEOPLE: readonly Case[] = [
  {
    name: 'nobody',
    act: (repo) =>
      commit({ ...repo, env: { ...repo.env, variables: {} } }, { message: 'by nobody' }),
    code: 'no-author',
    exit: 2,
    message: 'dv does not know your name',
    hint: 'dv config --global user.name "Your Name" && dv config --global user.email you@example.org',
  },
  {
    name: 'an author without an address',
    act: (repo) => commit(repo, { message: 'x', author: 'Ada' }),
    code: 'bad-option',
    exit: 2,
    message: '"Ada" is not an author',
    hint: '--author "Ada Lovelace <ada@example.org>"',
  },
  {
    name: 'a date that is none',
    act: (repo) => commit(repo, { message: 'x', date: 'yesteryear' }),
    code: 'bad-date',
    exit: 2,
    message: '"yesteryear" is not a date',
    hint: '--date 2026-11-01T12:00',
  },
  {
    name: 'a message of 300 KB',
    act: (repo) => commit(repo, { message: 'm'.repeat(300_000) }),
    code: 'bad-option',
    exit: 2,
    message: `the message "${'m'.repeat(40)}…" has 300000 bytes, more than 65536`,
    hint: 'keep long texts in a file beside the tables',
  },
  {
    name: 'a message of 300 KB for a tag',
    act: (repo) => createTag(repo, 'v2', 'HEAD', { message: 'm'.repeat(300_000) }),
    code: 'bad-option',
    exit: 2,
    message: /^the message "m+…" has 300000 bytes, more than 65536$/,
    hint: 'keep long texts in a file beside the tables',
  },
  {
    name: 'no message',
    act: (repo) => commit(repo, { message: ' \n ' }),
    code: 'no-message',
    exit: 2,
    message: 'a commit needs a message',
    hint: 'dv commit -m MESSAGE',
  },
];

describe.each([
  ['a table', TABLES],
  ['a branch, tag or revision', REFS],
  ['an author, date or message', PEOPLE],
])('as the name of %s:', (_, cases) => {
  test.each(cases)('$name', async ({ act, name: _name, ...refusal }) => {
    await expectRefusal(directory, () => withRepository(directory, act), refusal);
  });
});

/** Where case counts in file names; elsewhere there cannot be two such files. */
test('two files that differ only by case', async (context) => {
  await withFile(directory, 'Staged.CSV', 'id\n1\n', async (path) => {
    if (existsSync(join(directory, 'STAGED.csv'))) context.skip('file names ignore case here');
    const act = () => withRepository(directory, (repo) => add(repo, [path]));
    const sentence = "'Staged.CSV' and 'staged.csv' differ only by case";
    await expectRefusal(directory, act, twin(sentence, ONE_FILE));
  });
});

test('a file with a control character in its name', async () => {
  await withFile(directory, 'a\u0007.csv', 'id\n1\n', async (path) => {
    const act = () => withRepository(directory, (repo) => add(repo, [path]));
    await expectRefusal(directory, act, bad('table name "a\\u0007.csv" has a control character'));
  });
});

test('a repository whose first branch cannot be is not made', async () => {
  const fresh = join(outside, 'fresh');
  const error = await initRepository(fresh, testEnvironment(), { branch: 'a..b' }).catch((e) => e);
  expectError(error, bad(`branch name "a..b" has '..'`));
  expect(existsSync(fresh)).toBe(false);
});

describe('a hash prefix', () => {
  /** Two commits whose hashes begin with the same four digits. */
  function alikeCommits(root: Hash): { hash: Hash; bytes: Uint8Array }[] {
    const seen = new Map<string, { hash: Hash; bytes: Uint8Array }>();
    for (let i = 0; ; i++) {
      const person = { name: 'A', email: 'a@example.org', time: i, zone: 0 };
      const object: Commit = {
        root,
        parents: [],
        author: person,
        committer: person,
        message: `${i}`,
        clock: { ms: i, counter: 0, node: '00000000' },
        generation: 1,
        extra: {},
      };
      const chunk = toChunk(encodeCommit(object));
      const other = seen.get(chunk.hash.slice(0, 4));
      if (other !== undefined) return [other, chunk];
      seen.set(chunk.hash.slice(0, 4), chunk);
    }
  }

  test('that begins several commits', async () => {
    const root = await withRepository(directory, async (repo) => {
      return (await readCommit(repo.store, await resolveCommit(repo, 'HEAD'))).root;
    });
    const pair = alikeCommits(root);
    await withRepository(directory, (repo) => repo.store.putMany(pair));
    const prefix = pair[0].hash.slice(0, 4);
    const longer = pair.map(({ hash }) => hash.slice(0, 8)).sort();
    const data = { prefix, matches: pair.map(({ hash }) => hash).sort() };
    const ambiguous = { code: 'ambiguous-hash', exit: 2, data } as const;
    const hint = `type more digits: ${longer.join(', ')}`;
    const acts: [Act, string][] = [
      [(repo) => reset(repo, prefix, 'hard'), 'commits'],
      [(repo) => switchTo(repo, prefix, { detach: true }), 'commits'],
      [(repo) => createTag(repo, 'v2', `${prefix}~1`), 'commits'],
      [(repo) => catObject(repo, prefix), 'objects'],
    ];
    for (const [act, what] of acts) {
      await expectRefusal(directory, () => withRepository(directory, act), {
        ...ambiguous,
        message: `"${prefix}" begins 2 ${what}' hashes`,
        hint,
      });
    }
    await withRepository(directory, async (repo) => {
      expect(await resolveCommit(repo, longer[0])).toBe(data.matches[0]);
    });
  });

  test('of three digits is none', async () => {
    const act = () => withRepository(directory, (repo) => resolveCommit(repo, 'abc'));
    await expectRefusal(directory, act, {
      code: 'bad-revision',
      exit: 2,
      message: '"abc" names no commit',
      hint: /^dv log --oneline/,
    });
  });
});

/**
 * A repository with something of everything (two commits, a tag, another branch, staged and
 * unstaged changes, an untracked file) in which a command is refused, and a way to say that
 * this changed nothing. Because nothing changes, one scene serves many refusals.
 */
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { DvError, type ErrorCode } from '../../src/errors.ts';
import { hashOf } from '../../src/hash.ts';
import { add } from '../../src/porcelain/add.ts';
import { createBranch } from '../../src/porcelain/branch.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { initRepository, openRepository } from '../../src/porcelain/open-repository.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { createTag } from '../../src/porcelain/tag.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { testEnvironment } from '../support/repository.ts';

export const CITIES = 'id,name,population\n1,Zürich,421878\n2,Genève,203856\n3,Bern,133883\n';

/** Makes the repository of a scene in an empty directory. */
export async function setScene(directory: string): Promise<void> {
  const { repository: repo } = await initRepository(directory, testEnvironment());
  const write = (name: string, content: string) => writeFileSync(join(directory, name), content);
  write('cities.csv', CITIES);
  write('notes.txt', 'kept as it is\n');
  await add(repo, [directory]);
  await commit(repo, { message: 'first' });
  await createTag(repo, 'v1', 'HEAD');
  await createBranch(repo, 'work', 'HEAD');
  write('cities.csv', CITIES.replace('421878', '427721'));
  await add(repo, [directory]);
  await commit(repo, { message: 'second' });
  write('staged.csv', 'code,label\na,one\nb,two\n');
  write('cities.csv', CITIES.replace('203856', '206635'));
  await add(repo, [directory]);
  write('cities.csv', CITIES.replace('133883', '134506'));
  write('untracked.csv', 'id\n1\n');
  await repo.close();
}

/** Everything a user could miss: refs and their log, HEAD, stage, fingerprints, files. */
export async function takeSnapshot(directory: string): Promise<Record<string, unknown>> {
  const path = join(directory, '.dv', 'store.db');
  const store = await openSqliteStore(path, { now: () => 0 });
  try {
    const refs = await store.listRefs('');
    const logs = new Map<string, unknown>();
    for (const { name } of refs) logs.set(name, await store.readLog(name, 1000));
    const state = await store.listState('');
    const text = (value: Uint8Array) => Buffer.from(value).toString();
    return {
      refs,
      logs: Object.fromEntries(logs),
      state: Object.fromEntries(state.map(({ key, value }) => [key, text(value)])),
      files: Object.fromEntries(listFiles(directory, '')),
    };
  } finally {
    await store.close();
  }
}

/** Path, mode and content of every file; of SQLite's own only that the store is there. */
function* listFiles(root: string, below: string): Generator<[string, string]> {
  for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    const path = join(root, name);
    if (name.startsWith('.dv/store.db')) {
      if (name === '.dv/store.db') yield [name, 'the store'];
    } else if (entry.isSymbolicLink()) yield [name, readlinkSync(path)];
    else if (entry.isDirectory()) yield* listFiles(root, name);
    else if (!entry.isFile()) yield [name, 'no file'];
    else yield [name, `${statSync(path).mode.toString(8)} ${hashOf(readFileSync(path))}`];
  }
}

/** What a refusal must say; `message` and `hint` in full, of `data` what is named. */
export interface Refusal {
  readonly code: ErrorCode;
  /** Exit status, by the kind of the code. */
  readonly exit: 2 | 3 | 5;
  readonly message: string | RegExp;
  readonly hint?: string | RegExp;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Runs what must be refused, and checks what is said and that nothing changed. */
export async function expectRefusal(
  directory: string,
  act: () => Promise<unknown>,
  refusal: Refusal,
): Promise<void> {
  const before = await takeSnapshot(directory);
  const error = await act().then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  expect(await takeSnapshot(directory)).toEqual(before);
  expectError(error, refusal);
}

export function expectError(error: unknown, refusal: Refusal): void {
  if (!(error instanceof DvError)) throw error;
  const { code, exitStatus: exit, message, hint } = error;
  const { data, message: expectedMessage, hint: expectedHint } = refusal;
  expect({ code, exit }).toEqual({ code: refusal.code, exit: refusal.exit });
  expectText(message, expectedMessage);
  expectText(hint, expectedHint);
  if (data !== undefined) expect(error.data).toMatchObject(data);
  // One sentence of one line, without a full stop.
  expect(message).not.toMatch(/[\n\r]|\. |\.$/);
}

function expectText(text: string | undefined, expected: string | RegExp | undefined): void {
  if (expected instanceof RegExp) expect(text).toMatch(expected);
  else expect(text).toBe(expected);
}

/** Has `content` in a file while `act` runs; then the file is as before. */
export async function withFile(
  directory: string,
  name: string,
  content: string | Uint8Array,
  act: (path: string) => Promise<void>,
): Promise<void> {
  const path = join(directory, name);
  const before = existsSync(path) ? readFileSync(path) : undefined;
  writeFileSync(path, content);
  try {
    await act(path);
  } finally {
    if (before === undefined) rmSync(path);
    else writeFileSync(path, before);
  }
}

/** Opens the scene for one command, as the command line does. */
export async function withRepository<T>(
  directory: string,
  act: (repo: Repository) => Promise<T>,
  change: Partial<ReturnType<typeof testEnvironment>> = {},
): Promise<T> {
  const repo = await openRepository(directory, { ...testEnvironment(Date.now()), ...change });
  try {
    return await act(repo);
  } finally {
    await repo.close();
  }
}

/**
 * A store whose n-th write fails, for every n and every verb: afterwards the repository is
 * as before or as intended, checks clean, and the same verb succeeds.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { createBranch } from '../../src/porcelain/branch.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { fsck } from '../../src/porcelain/maintain.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { headCommit, type Repository } from '../../src/porcelain/repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { restore } from '../../src/porcelain/restore.ts';
import { status } from '../../src/porcelain/status.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { temporaryRepository, testEnvironment } from '../support/repository.ts';
import { failingStore, InjectedFailure } from '../support/store-failing.ts';

const rows = (mark: string): string =>
  `id,name\n${Array.from({ length: 3000 }, (_, i) => `${i},${i % 500 === 0 ? mark : `n${i}`}`).join('\n')}\n`;

type Verb = (repo: Repository, file: string) => Promise<unknown>;

const VERBS: Record<string, Verb> = {
  add: (repo, file) => add(repo, [file]),
  commit: async (repo, file) => {
    await add(repo, [file]);
    await commit(repo, { message: 'again', skipEmpty: true });
  },
  switch: (repo) => switchTo(repo, 'other', { discard: true }),
  'reset --hard': (repo) => reset(repo, 'HEAD', 'hard'),
  restore: (repo, file) => restore(repo, [file]),
};

async function prepare(directory: string): Promise<string> {
  const repo = await openRepository(directory, testEnvironment());
  const file = join(directory, 't.csv');
  writeFileSync(file, rows('one'));
  await add(repo, [file]);
  await commit(repo, { message: 'one' });
  await createBranch(repo, 'other', 'HEAD');
  writeFileSync(file, rows('two'));
  await add(repo, [file]);
  await commit(repo, { message: 'two' });
  writeFileSync(file, rows('three'));
  await repo.close();
  return file;
}

test.each(Object.keys(VERBS))(
  '%s, whichever write fails',
  async (name) => {
    const verb = VERBS[name];
    let failures = 0;
    for (const afterwards of [false, true]) {
      for (let failAt = 1; ; failAt++) {
        await using temporary = await temporaryRepository();
        const file = await prepare(temporary.directory);
        const before = readFileSync(file, 'utf8');
        const { repo } = temporary;
        const { store } = failingStore(repo.store, { failAt, afterwards });
        const broken: Repository = { ...repo, store, nodes: new NodeStore(store) };
        const error = await verb(broken, file).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error === undefined) break;
        failures += 1;
        expect(error).toBeInstanceOf(InjectedFailure);
        const again = await openRepository(temporary.directory, testEnvironment(Date.now()));
        for await (const problem of fsck(again)) expect(problem).toBeUndefined();
        await status(again);
        const now = readFileSync(file, 'utf8');
        expect([before, rows('one'), rows('two')]).toContain(now);
        await verb(again, file);
        expect(await headCommit(again)).toBeDefined();
        await again.close();
      }
    }
    expect(failures).toBeGreaterThan(0);
  },
  120_000,
);

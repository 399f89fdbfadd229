/**
 * kill -9 at random instants: the repository is in the old state or the new one, checks
 * clean, and the next commands work. `DV_KILLS` sets how often (default 12).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { createBranch } from '../../src/porcelain/branch.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { exportBytes } from '../../src/porcelain/export.ts';
import { fsck } from '../../src/porcelain/maintain.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { type Repository, resolveCommit } from '../../src/porcelain/repository.ts';
import { status } from '../../src/porcelain/status.ts';
import { runAndKill } from '../support/killed-worker.ts';
import { bytesOf } from '../support/pack-frames.ts';
import { temporaryRepository, testEnvironment } from '../support/repository.ts';

const KILLS = Number(process.env.DV_KILLS ?? 12);

async function checkAfterKill(repo: Repository, directory: string, lines: string[]): Promise<void> {
  for await (const problem of fsck(repo)) expect(problem).toBeUndefined();
  await status(repo);
  // Every commit that was reported done is still known, unless a later reset and gc took it.
  const done = lines.filter((line) => line.startsWith('commit ')).at(-1);
  const after = lines.slice(lines.lastIndexOf(done ?? '') + 1);
  if (done !== undefined && after.length === 0) {
    const [, hash, branch] = done.split(' ');
    const head = await resolveCommit(repo, branch);
    const candidates = [head, await resolveCommit(repo, `${branch}~1`).catch(() => head)];
    const undone = await resolveCommit(repo, `${branch}@{1}`).catch(() => head);
    expect([...candidates, undone]).toContain(hash);
  }
  // The file is whole, whatever version it is, and goes on to the next commit.
  const file = join(directory, 't.csv');
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(4002);
  await add(repo, [file]);
  await commit(repo, { message: 'after the kill', allowEmpty: true });
  expect(await bytesOf(await exportBytes(repo, 'HEAD:t.csv'))).toEqual(readFileSync(file));
  expect((await status(repo)).clean).toBe(true);
}

test(
  `survives ${KILLS} kills`,
  async () => {
    await using temporary = await temporaryRepository();
    const { directory } = temporary;
    const rows = Array.from({ length: 4000 }, (_, i) => `${i},name ${i},${i}`);
    writeFileSync(join(directory, 't.csv'), `id,name,value\n${rows.join('\n')}\n`);
    await add(temporary.repo, [join(directory, 't.csv')]);
    await commit(temporary.repo, { message: 'first' });
    await createBranch(temporary.repo, 'left', 'HEAD');
    let worked = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const seed = kill + 1 + Math.floor(Math.random() * 1000);
      const args = [directory, String(seed)];
      const said = await runAndKill('crash-worker.ts', args, 'ready', Math.random() * 250);
      const lines = said.trim().split('\n');
      worked += lines.length - 1;
      const repo = await openRepository(directory, testEnvironment(Date.now()));
      try {
        await checkAfterKill(repo, directory, lines);
      } finally {
        await repo.close();
      }
    }
    expect(worked).toBeGreaterThan(0);
  },
  60_000 + KILLS * 10_000,
);

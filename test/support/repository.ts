/** A repository in a temporary directory, with a clock of its own, removed after the test. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../src/porcelain/environment.ts';
import { initRepository } from '../../src/porcelain/open-repository.ts';
import type { Repository } from '../../src/porcelain/repository.ts';

/** A clock that moves one second a call: commits have distinct, ordered times. */
export function testEnvironment(start = Date.UTC(2026, 0, 1)): Environment {
  let now = start;
  return {
    now: () => {
      now += 1000;
      return now;
    },
    zone: () => 0,
    randomId: () => randomBytes(8).toString('hex'),
    variables: { DV_AUTHOR_NAME: 'Test', DV_AUTHOR_EMAIL: 'test@example.org' },
    userConfig: undefined,
    owner: 'test',
    isAlive: () => true,
    lockTimeout: 5000,
    report: () => {},
  };
}

export interface TestRepository extends AsyncDisposable {
  readonly repo: Repository;
  readonly directory: string;
}

export async function temporaryRepository(env = testEnvironment()): Promise<TestRepository> {
  const directory = mkdtempSync(join(tmpdir(), 'dv-test-'));
  const { repository } = await initRepository(directory, env);
  return {
    repo: repository,
    directory,
    [Symbol.asyncDispose]: async () => {
      await repository.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

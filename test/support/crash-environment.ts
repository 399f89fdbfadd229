/** The environment of processes that are killed: the machine's clock, ids of their own. */
import { randomBytes } from 'node:crypto';
import type { Environment } from '../../src/porcelain/environment.ts';

export const CRASH_ENVIRONMENT: Environment = {
  now: Date.now,
  zone: () => 0,
  randomId: () => randomBytes(8).toString('hex'),
  variables: { DV_AUTHOR_NAME: 'Crash', DV_AUTHOR_EMAIL: 'crash@example.org' },
  userConfig: undefined,
  owner: 'crash',
  isAlive: () => true,
  lockTimeout: 5000,
  report: () => {},
};

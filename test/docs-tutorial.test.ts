/** The commands of docs/tutorial.md do what it says. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readSteps, typeSteps } from './support/walkthrough.ts';

const DATA = join(fileURLToPath(new URL('..', import.meta.url)), 'fixtures/data/crawlers');

test('every command does what the tutorial says', async () => {
  const steps = readSteps('tutorial.md');
  expect(steps.length).toBeGreaterThan(40);
  await typeSteps(steps, { DATA, DV_AUTHOR_NAME: undefined, DV_AUTHOR_EMAIL: undefined });
}, 300_000);

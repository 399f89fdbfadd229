/** The worked examples of the pages about merges and history do what the pages say. */
import { expect, test } from 'vitest';
import { readSteps, typeSteps } from './support/walkthrough.ts';

test.each(['merging.md', 'rules.md', 'conflicts.md', 'history.md'])(
  'every command of %s does what it says',
  async (page) => {
    const steps = readSteps(page);
    expect(steps.length).toBeGreaterThan(10);
    expect(steps.flatMap(({ shown }) => shown).length).toBeGreaterThan(10);
    await typeSteps(steps, { DV_AUTHOR_NAME: 'Ada', DV_AUTHOR_EMAIL: 'ada@example.org' });
  },
  300_000,
);

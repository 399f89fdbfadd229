import { defineConfig } from 'vitest/config';

/** Tests against real services, which they start themselves: `npm run test:services`. */
export default defineConfig({
  test: {
    include: ['test/services/**/*.test.ts'],
    globalSetup: ['test/support/build-cli.ts'],
    reporters: ['default', 'test/support/totals-reporter.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 400_000,
  },
});

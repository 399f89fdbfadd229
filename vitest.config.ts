import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/services/**', '**/node_modules/**'],
    globalSetup: ['test/support/build-cli.ts'],
    reporters: ['default', 'test/support/totals-reporter.ts'],
    // Forks, as native modules are not all safe in worker threads.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

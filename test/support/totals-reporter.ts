/**
 * Prints the last line of a test run, `N passed, N failed`, for the programs that read it.
 * What is not a test but went wrong (a file that does not load, an error outside of any
 * test) counts as one failed, and a run without any test fails. A skipped test is neither.
 */
import type { Reporter, TestModule } from 'vitest/node';

export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly unknown[]): void {
    let passed = 0;
    let skipped = 0;
    let failed = strayErrors.length;
    for (const module of modules) {
      const before = failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'skipped') skipped += 1;
        else failed += 1;
      }
      if (module.state() === 'failed' && failed === before) failed += 1;
    }
    if (failed > 0 || passed + skipped === 0) process.exitCode = 1;
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  }
}

/**
 * Before a test run: builds dist/ when a source is newer, so that the tests which start
 * bin/dv test what is there. A source that cannot be built fails those tests, not the run.
 */
import { existsSync, globSync, statSync } from 'node:fs';
import { buildBundles } from '../../bin/build.mjs';

const BUILT = ['dist/start.cjs', 'dist/main.cjs'];
const SOURCES = ['src/**/*.ts', 'bin/build.mjs', 'package.json'];

export async function setup(): Promise<void> {
  if (!isStale()) return;
  try {
    await buildBundles();
  } catch (error) {
    console.warn(`bin/dv is out of date: ${(error as Error).message}`);
  }
}

function isStale(): boolean {
  if (!BUILT.every((file) => existsSync(file))) return true;
  const built = Math.min(...BUILT.map((file) => statSync(file).mtimeMs));
  return globSync(SOURCES).some((file) => statSync(file).mtimeMs > built);
}

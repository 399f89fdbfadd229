/** Where a repository is: found without opening it, or loading what opens it. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const DOT_DIR = '.dv';

/** The nearest directory at or above `start` with a `.dv`, or undefined. */
export function findWorktree(start: string): string | undefined {
  for (let dir = resolve(start); ; dir = dirname(dir)) {
    if (existsSync(join(dir, DOT_DIR, 'store.db'))) return dir;
    if (dirname(dir) === dir) return undefined;
  }
}

/**
 * The files of a worktree as names with `/`, in name order: what `add DIR`, `status` and
 * untracked listings look at. Passes over `.dv`, other repositories, links to directories
 * and whatever is ignored.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Ignores } from './ignore.ts';
import { DOT_DIR } from './worktree.ts';

const SKIPPED = new Set([DOT_DIR, '.git', '.hg', '.svn']);

/** Files below `start` (a name; '' is the worktree itself). */
export function* walkFiles(worktree: string, start: string, ignores: Ignores): Generator<string> {
  const directory = join(worktree, start);
  const entries = readdirSync(directory, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (SKIPPED.has(entry.name)) continue;
    const name = start === '' ? entry.name : `${start}/${entry.name}`;
    if (ignores(name, entry.isDirectory())) continue;
    if (!entry.isDirectory()) {
      if (entry.isFile()) yield name;
    } else if (!existsSync(join(directory, entry.name, DOT_DIR, 'store.db'))) {
      yield* walkFiles(worktree, name, ignores);
    }
  }
}

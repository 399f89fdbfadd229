/**
 * Bare repositories: the setting `core.bare` says that a repository has no working files and
 * is there for others to push to. What a server makes is bare. Commands that read or write
 * working files refuse to run in one.
 */
import { DvError } from '../errors.ts';
import { readConfig } from './config.ts';
import type { Repository } from './repository.ts';

export const BARE_KEY = 'core.bare';

export function isBare(dotDir: string): boolean {
  return readConfig(dotDir, undefined).getFlag(BARE_KEY) ?? false;
}

/** @throws DvError `bad-option` */
export function requireWorkingFiles(repo: Repository): void {
  if (!isBare(repo.dotDir)) return;
  throw new DvError('bad-option', `'${repo.worktree}' is bare: it has no working files`, {
    hint: 'dv clone makes a copy to work in; dv config core.bare false ends that it is bare',
  });
}

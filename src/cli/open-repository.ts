/** The repository in which a command works: opened here, closed when the command is over. */
import { openRepository } from '../porcelain/open-repository.ts';
import type { Repository } from '../porcelain/repository.ts';
import { findWorktree } from '../porcelain/worktree.ts';
import type { Context } from './context.ts';

/** @throws DvError `not-a-repository`, `newer-format`, `corrupt`, `locked` */
export async function openRepositoryOf(context: Context): Promise<Repository> {
  const repository = await openRepository(context.cwd, context.environment);
  context.atEnd(() => repository.close());
  const filler = async () => (await import('../porcelain/fill.ts')).fillerOf(repository);
  repository.fillWith({
    missing: async (hashes) => (await filler()).missing(hashes),
    entries: async (entries) => (await filler()).entries(entries),
    history: async () => (await filler()).history(),
  });
  return repository;
}

/** undefined: the command works outside a repository, too. */
export async function openRepositoryIfAny(context: Context): Promise<Repository | undefined> {
  return findWorktree(context.cwd) === undefined ? undefined : openRepositoryOf(context);
}

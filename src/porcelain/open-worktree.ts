/**
 * Opening a repository for work: what a command that was killed left half done in the
 * working files is finished first. Costs one look at the state when there is nothing.
 */
import { CHECKOUT_JOURNAL, recoverCheckout } from './checkout.ts';
import type { Environment } from './environment.ts';
import { openRepository, type Repository } from './repository.ts';

/** As `openRepository`; also throws what placing the files can throw. Close it. */
export async function openWorktree(cwd: string, env: Environment): Promise<Repository> {
  const repository = await openRepository(cwd, env);
  try {
    const journal = await repository.store.getState(CHECKOUT_JOURNAL);
    if (journal !== undefined) await recoverCheckout(repository);
  } catch (error) {
    await repository.close();
    throw error;
  }
  return repository;
}

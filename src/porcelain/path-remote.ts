/** A repository of this machine as a remote: opened for as long as something is asked of it. */

import type { RefStore } from '../store/contract.ts';
import { LocalRemote, type LocalRemoteOptions } from '../sync/local-remote.ts';
import type { PushAnswer, PushRequest, Remote } from '../sync/protocol.ts';
import { SyncService } from '../sync/service.ts';
import { guardCheckedOut, updateCheckedOut } from './checked-out.ts';
import type { Environment } from './environment.ts';
import { openRepository } from './open-repository.ts';
import { retryOptions } from './transfer.ts';
import { findWorktree } from './worktree.ts';

/** @throws DvError `not-dv`, `newer-format`, `corrupt`, `locked` */
export async function openPathRemote(env: Environment, path: string): Promise<Remote> {
  const worktree = findWorktree(path) ?? path;
  const repo = await openRepository(worktree, env);
  const service = new SyncService({
    store: repo.store,
    software: env.software ?? 'dv',
    now: env.now,
    randomId: env.randomId,
    ...retryOptions(env),
    mayUpdate: (command) => guardCheckedOut(worktree, repo.store, env, command),
  });
  return new PathRemote(worktree, repo.store, env, {
    url: worktree,
    service,
    caller: { actor: env.owner, allow: () => undefined },
    close: () => repo.close(),
  });
}

/** Working files follow where the repository says so. */
class PathRemote extends LocalRemote {
  readonly #follow: (answer: PushAnswer) => Promise<PushAnswer>;

  constructor(worktree: string, store: RefStore, env: Environment, options: LocalRemoteOptions) {
    super(options);
    this.#follow = async (answer) => {
      if (answer.kind !== 'done') return answer;
      const moved = answer.outcomes.filter(({ status }) => status !== 'refused');
      await updateCheckedOut(
        worktree,
        store,
        env,
        moved.map(({ ref }) => ref),
      );
      return answer;
    };
  }

  override async push(request: PushRequest, pack?: Uint8Array): Promise<PushAnswer> {
    return this.#follow(await super.push(request, pack));
  }

  override async commitPush(id: string): Promise<PushAnswer> {
    return this.#follow(await super.commitPush(id));
  }
}

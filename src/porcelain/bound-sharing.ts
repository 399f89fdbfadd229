/** The verbs that exchange with other repositories, as methods of an open one. */
import { MergingRepository } from './bound-merging.ts';
import { type BundleCreateOptions, type BundleInfo, createBundle } from './bundle.ts';
import { type FetchOptions, type FetchResult, fetch } from './fetch.ts';
import { type PullOptions, type PullResult, pull } from './pull.ts';
import { type PushOptions, type PushResult, push, pushRefusal } from './push.ts';
import {
  type RemoteAddOptions,
  type RemoteEntry,
  remoteAdd,
  remoteRemove,
  remotes,
} from './remote.ts';
import type { Repository } from './repository.ts';

export class SharingRepository extends MergingRepository {
  readonly #repo: Repository;

  /** @internal */
  constructor(repo: Repository) {
    super(repo);
    this.#repo = repo;
  }

  remotes(): RemoteEntry[] {
    return remotes(this.#repo);
  }

  /** Knows another repository by a name. @throws DvError `already-exists`, `bad-name` */
  addRemote(name: string, url: string, options?: RemoteAddOptions): RemoteEntry {
    return remoteAdd(this.#repo, name, url, options);
  }

  /** With what is known of its branches. @throws DvError `unknown-remote` */
  removeRemote(name: string): Promise<{ readonly name: string; readonly refs: readonly string[] }> {
    return remoteRemove(this.#repo, name);
  }

  /** What a remote has and this repository has not, one result a remote. */
  fetch(options?: FetchOptions): Promise<FetchResult[]> {
    return fetch(this.#repo, options);
  }

  /** A fetch, and what came merged into the current branch. */
  pull(options?: PullOptions): Promise<PullResult> {
    return pull(this.#repo, options);
  }

  /**
   * Commits to a remote, and its refs to them.
   * @throws DvError of the first ref that is refused, or `push-refused` for several
   */
  async push(options?: PushOptions): Promise<PushResult> {
    const result = await push(this.#repo, options);
    const refused = pushRefusal(result);
    if (refused !== undefined) throw refused;
    return result;
  }

  /** Branches and tags with all they reach, in one file. */
  createBundle(file: string, options?: BundleCreateOptions): Promise<BundleInfo> {
    return createBundle(this.#repo, file, options);
  }
}

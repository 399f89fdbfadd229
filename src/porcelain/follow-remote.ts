/**
 * `dv watch --follow`: what follows a remote's branches (`refs/remotes/...`) goes along as its
 * commits arrive, out of the packs that come with the news, or fetched where none came. With
 * `--apply` the branch one is on goes along too, and its files: forward, or merged by the
 * rules; what nothing decides stops it.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { CommitEvent, FeedEvent, FeedSource, WatchOptions } from '../live/contract.ts';
import { readHead } from '../model/head.ts';
import { isAncestor } from '../model/history.ts';
import { BRANCH_PREFIX, shortRefName } from '../model/names.ts';
import { PackedRemote } from '../sync/packed-remote.ts';
import type { Remote } from '../sync/protocol.ts';
import { mapRef } from '../sync/refspec.ts';
import { requireWorkingFiles } from './bare.ts';
import { fetchOpened } from './fetch.ts';
import { merge } from './merge.ts';
import { requireNoMerge } from './merge-guard.ts';
import { configOf, findUpstream, type RemoteConfig } from './remote-config.ts';
import type { Repository } from './repository.ts';
import { actorName } from './switch.ts';
import { bring } from './transfer.ts';

export class RemoteFollower {
  private readonly repo: Repository;
  private readonly remote: Remote;
  private readonly config: RemoteConfig;

  constructor(repo: Repository, remote: Remote, config: RemoteConfig) {
    this.repo = repo;
    this.remote = remote;
    this.config = config;
  }

  /** Brings everything up to now. The cursor behind which the rest comes. */
  async catchUp(): Promise<string> {
    const { cursor } = await this.remote.refs();
    await fetchOpened(this.repo, this.remote, this.config, {});
    return cursor;
  }

  /** What the feed told, here. The ref that moved; undefined: nothing here follows it. */
  async take(event: FeedEvent): Promise<string | undefined> {
    if (event.type === 'commit') return this.move(event, event.new, event.pack);
    if (event.type === 'ref-deleted') return this.move(event, null);
    if (event.type === 'reset') await this.catchUp();
    return undefined;
  }

  private async move(
    { ref, old: before }: Pick<CommitEvent, 'ref' | 'old'>,
    to: Hash | null,
    pack?: Uint8Array,
  ): Promise<string | undefined> {
    const { repo, remote, config } = this;
    const name = config.fetch.map((spec) => mapRef(spec, ref)).find((found) => found !== undefined);
    // A branch of this repository is moved by its own commands only.
    if (name === undefined || name.startsWith(BRANCH_PREFIX)) return undefined;
    const [old, actor] = [(await repo.store.getRef(name)) ?? null, await actorName(repo)];
    if (old === to || (old !== before && (await this.isBehind(to, old)))) return undefined;
    const from = pack === undefined ? remote : new PackedRemote(remote, pack);
    const ask = {
      wants: to === null ? [] : [to],
      ...(old === before && old !== null && { haves: [old] }),
    };
    await bring(repo, from, ask, async () => ({
      refs: [{ name, old: (await repo.store.getRef(name)) ?? null, new: to }],
      log: { actor, time: repo.env.now(), message: `watch ${config.name ?? remote.url}` },
    }));
    return name;
  }

  /** News of the past: a fetch has brought more since. */
  private async isBehind(to: Hash | null, now: Hash | null): Promise<boolean> {
    if (to === null || now === null) return false;
    const { store } = this.repo;
    const [isHere] = await store.hasMany([to]);
    return isHere && isAncestor(store, to, now);
  }
}

/** The source, with each event told only when what follows the remote has gone along. */
export function followed(
  source: FeedSource,
  follower: RemoteFollower,
  moved: () => void,
): FeedSource {
  return {
    url: source.url,
    async *events(options: WatchOptions) {
      for await (const event of source.events(options)) {
        if ((await follower.take(event)) !== undefined) moved();
        yield event;
      }
    },
    changes: (from, to, options) => source.changes(from, to, options),
    commitsBetween: (from, to, options) => source.commitsBetween(from, to, options),
    close: () => source.close(),
  };
}

/**
 * Brings the branch one is on, and its files, to what it follows. Calls that come while it
 * works are one more turn of it, so files are written as often as they can be and no more.
 */
export class BranchApplier {
  private readonly repo: Repository;
  private readonly failed: (error: unknown) => void;
  private wanted = false;
  private working: Promise<void> | undefined;

  /** @throws DvError `bare-repository`, `merge-in-progress` */
  static async open(repo: Repository, failed: (error: unknown) => void): Promise<BranchApplier> {
    requireWorkingFiles(repo);
    await requireNoMerge(repo);
    return new BranchApplier(repo, failed);
  }

  private constructor(repo: Repository, failed: (error: unknown) => void) {
    this.repo = repo;
    this.failed = failed;
  }

  /** Something that follows the remote has moved. */
  moved(): void {
    this.wanted = true;
    this.working ??= this.work().finally(() => {
      this.working = undefined;
    });
  }

  /** Resolves when everything that moved so far is applied. */
  async settled(): Promise<void> {
    while (this.working !== undefined) await this.working;
  }

  private async work(): Promise<void> {
    try {
      while (this.wanted) {
        this.wanted = false;
        await this.apply();
      }
    } catch (error) {
      this.failed(error);
    }
  }

  private async apply(): Promise<void> {
    const { repo } = this;
    const head = await readHead(repo.store);
    if (head.kind !== 'branch') return;
    const tracking = findUpstream(configOf(repo), head.branch)?.tracking;
    if (tracking === undefined || (await repo.store.getRef(tracking)) === undefined) return;
    const result = await merge(repo, [shortRefName(tracking)]);
    if (result.outcome !== 'conflicts') return;
    const tables = [...new Set(result.conflicts.map(({ table }) => table))];
    throw new DvError(
      'conflicts-left',
      `what came into '${shortRefName(tracking)}' conflicts with branch '${head.branch}'`,
      {
        hint: 'dv conflicts shows them; dv resolve, dv commit, then watch again',
        data: { branch: head.branch, tables },
      },
    );
  }
}

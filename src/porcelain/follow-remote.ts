/**
 * `dv watch --follow`: what follows a remote's branches (`refs/remotes/...`) goes along as its
 * commits arrive, out of the packs that come with the news, or fetched where none came. The
 * feed itself: followed.ts; the branch one is on: branch-applier.ts.
 */
import type { Hash } from '../hash.ts';
import type { CommitEvent, FeedEvent, RefDeletedEvent } from '../live/contract.ts';
import { isAncestor } from '../model/history.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import type { RefUpdate } from '../store/contract.ts';
import { PackedRemote } from '../sync/packed-remote.ts';
import type { Remote } from '../sync/protocol.ts';
import { mapRef } from '../sync/refspec.ts';
import { fetchOpened } from './fetch.ts';
import type { RemoteConfig } from './remote-config.ts';
import type { Repository } from './repository.ts';
import { actorName } from './switch.ts';
import { type Ask, bring } from './transfer.ts';

/** A step of what follows a ref of the remote. */
interface Step {
  readonly name: string;
  /** What it is at before, as it is known. */
  readonly old: Hash | null;
  readonly new: Hash | null;
  readonly event: RefEvent;
}

type RefEvent = CommitEvent | RefDeletedEvent;

export class RemoteFollower {
  private readonly repo: Repository;
  private readonly remote: Remote;
  private readonly config: RemoteConfig;
  private actor: Promise<string> | undefined;

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

  /**
   * What the feed told, here: all of it, or on an error nothing. Several are of one run
   * (`runsOf`), and go into one transaction. Whether a ref moved.
   */
  async take(events: readonly FeedEvent[]): Promise<boolean> {
    if (events.some(({ type }) => type === 'reset')) await this.catchUp();
    const steps = await this.stepsOf(events.filter((event) => isOfRef(event)));
    if (steps.length === 0) return false;
    const { repo, remote, config } = this;
    const packs = steps.flatMap(({ event }) => (event.type === 'commit' ? (event.pack ?? []) : []));
    const from = packs.length === 0 ? remote : new PackedRemote(remote, packs);
    this.actor ??= actorName(repo);
    const actor = await this.actor;
    await bring(repo, from, askFor(steps), async () => ({
      refs: await this.chainOf(steps),
      log: { actor, time: repo.env.now(), message: `watch ${config.name ?? remote.url}` },
    }));
    return true;
  }

  private async stepsOf(events: readonly RefEvent[]): Promise<Step[]> {
    const { store } = this.repo;
    const reached = new Map<string, Hash | null>();
    const steps: Step[] = [];
    for (const event of events) {
      const name = this.nameOf(event.ref);
      if (name === undefined) continue;
      const known = reached.get(name);
      const old = known === undefined ? ((await store.getRef(name)) ?? null) : known;
      const to = event.type === 'commit' ? event.new : null;
      if (old === to || (old !== event.old && (await this.isBehind(to, old)))) continue;
      reached.set(name, to);
      steps.push({ name, old, new: to, event });
    }
    return steps;
  }

  /** A branch of this repository is moved by its own commands only. */
  private nameOf(ref: string): string | undefined {
    const specs = this.config.fetch;
    const name = specs.map((spec) => mapRef(spec, ref)).find((found) => found !== undefined);
    return name?.startsWith(BRANCH_PREFIX) ? undefined : name;
  }

  /** The steps from where the refs are now. */
  private async chainOf(steps: readonly Step[]): Promise<RefUpdate[]> {
    const reached = new Map<string, Hash | null>();
    const updates: RefUpdate[] = [];
    for (const { name, new: to } of steps) {
      const known = reached.get(name);
      const old = known === undefined ? ((await this.repo.store.getRef(name)) ?? null) : known;
      reached.set(name, to);
      updates.push({ name, old, new: to });
    }
    return updates;
  }

  /** News of the past: a fetch has brought more since. */
  private async isBehind(to: Hash | null, now: Hash | null): Promise<boolean> {
    if (to === null || now === null) return false;
    const { store } = this.repo;
    const [isHere] = await store.hasMany([to]);
    return isHere && isAncestor(store, to, now);
  }
}

const isOfRef = (event: FeedEvent): event is RefEvent =>
  event.type === 'commit' || event.type === 'ref-deleted';

/** What is here is known where each event begins where the ref is. */
function askFor(steps: readonly Step[]): Ask {
  const wants = [...new Set(steps.flatMap(({ new: to }) => to ?? []))];
  const isKnown = steps.every(({ old, event }) => old === event.old && old !== null);
  if (!isKnown) return { wants };
  return {
    wants,
    haves: steps.flatMap(({ old }) => old ?? []).filter((hash) => !wants.includes(hash)),
  };
}

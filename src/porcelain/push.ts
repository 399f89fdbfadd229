/**
 * `dv push`: commits to a remote, and its refs to them. What can be seen to be refused is
 * refused here, with what to do; the remote has the last word, by compare-and-swap.
 *
 * Cost: one request for the remote's refs, and for a small push one more with everything.
 */
import { DvError, ERROR_KINDS, type ErrorCode } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { countDivergence } from '../model/divergence.ts';
import { readHead } from '../model/head.ts';
import { isAncestor } from '../model/history.ts';
import { BRANCH_PREFIX, shortRefName, TAG_PREFIX } from '../model/names.ts';
import { peelToCommit } from '../model/object-reader.ts';
import { findRef } from '../model/revision.ts';
import type { RefUpdate } from '../store/contract.ts';
import type { RefOutcome, Remote, RemoteRefs } from '../sync/protocol.ts';
import { mapRef, parseRefspec } from '../sync/refspec.ts';
import { advanceToMerge } from './advance.ts';
import { openRemote } from './open-remote.ts';
import { type PlannedPush, type PushFlags, type PushSources, planPush } from './push-plan.ts';
import { configOf, findUpstream, type RemoteConfig, setUpstream } from './remote-config.ts';
import { remoteMeant } from './remote-names.ts';
import { type Repository, resolveCommit } from './repository.ts';
import { actorName } from './switch.ts';
import { sendPush } from './transfer.ts';

export interface PushOptions {
  /** A configured name, a URL or a path. */
  readonly remote?: string;
  readonly refspecs?: readonly string[];
  readonly setUpstream?: boolean;
  readonly force?: boolean;
  /** By ref, `''` for all: the revision it must be at; undefined: where it was fetched. */
  readonly leases?: ReadonlyMap<string, string | undefined>;
  readonly delete?: boolean;
  readonly tags?: boolean;
  readonly all?: boolean;
  readonly atomic?: boolean;
  readonly dryRun?: boolean;
  /** Let the remote merge where both sides have commits. */
  readonly merge?: boolean;
}

export interface PushedRef {
  /** null: deleted. */
  readonly source: string | null;
  /** The ref at the remote, in full. */
  readonly target: string;
  readonly old: Hash | null;
  /** Where it is now; of a dry run, where it would be. */
  readonly hash: Hash | null;
  readonly outcome: 'new' | 'updated' | 'forced' | 'deleted' | 'merged' | 'up-to-date' | 'refused';
  readonly reason?: PushReason;
}

export interface PushReason {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface PushResult {
  /** null: a URL without a name. */
  readonly remote: string | null;
  readonly url: string;
  readonly dryRun: boolean;
  readonly refs: readonly PushedRef[];
  /** Branches that follow the remote from now on. */
  readonly upstream: readonly { readonly branch: string; readonly follows: string }[];
  /** Branches here that went on to the merge that the remote made. */
  readonly advanced: readonly { readonly branch: string; readonly commit: Hash }[];
  /** Branches here that could not. */
  readonly toPull: readonly string[];
}

/**
 * Refs that are refused are in the result (`pushRefusal` makes an error of them).
 * @throws DvError `unknown-remote`, `no-upstream`, `bad-option`, `unknown-ref`, and what the way
 * to the remote says
 */
export async function push(repo: Repository, options: PushOptions = {}): Promise<PushResult> {
  const config = await remoteMeant(repo, options.remote, 'push');
  const remote = await openRemote(repo, config.pushUrl);
  try {
    const there = await remoteRefs(remote);
    const planned = await planPush(
      there,
      await sourcesOf(repo, config),
      await flagsOf(repo, config, options),
    );
    const pushed = await carryOut(repo, remote, there, planned, options);
    const result = {
      remote: config.name ?? null,
      url: remote.url,
      dryRun: options.dryRun ?? false,
    };
    const none = { upstream: [], advanced: [], toPull: [] };
    if (options.dryRun) return { ...result, ...none, refs: pushed };
    await track(repo, config, pushed);
    const upstream = options.setUpstream ? follow(repo, config, planned, pushed) : [];
    const merged = pushed.filter(({ outcome }) => outcome === 'merged');
    const moved =
      merged.length === 0
        ? { advanced: [], toPull: [] }
        : await advanceToMerge(repo, remote, config, merged);
    return { ...result, refs: pushed, upstream, ...moved };
  } finally {
    await remote.close();
  }
}

/** A repository that a push may create has no refs yet. */
export async function remoteRefs(remote: Remote): Promise<RemoteRefs> {
  try {
    return await remote.refs();
  } catch (error) {
    const { code, data } = error as DvError;
    if (code !== 'unknown-repository' || data.creatable !== true) throw error;
    return { head: null, refs: [], cursor: '' };
  }
}

async function sourcesOf(repo: Repository, remote: RemoteConfig): Promise<PushSources> {
  const { store } = repo;
  const head = await readHead(store);
  const upstream = head.kind === 'branch' ? findUpstream(configOf(repo), head.branch) : undefined;
  const isOther = upstream !== undefined && upstream.remote !== remote.name;
  return {
    branches: await store.listRefs(BRANCH_PREFIX),
    tags: await store.listRefs(TAG_PREFIX),
    current: head.kind === 'branch' ? BRANCH_PREFIX + head.branch : null,
    upstream: isOther ? 'other-remote' : upstream,
    findRef: (name) => findRef(store, name),
    resolve: async (name) => (await store.getRef(name)) ?? resolveCommit(repo, name),
  };
}

async function flagsOf(
  repo: Repository,
  remote: RemoteConfig,
  options: PushOptions,
): Promise<PushFlags> {
  const leases = new Map<string, Hash | undefined>();
  for (const [ref, revision] of options.leases ?? []) {
    leases.set(ref, revision === undefined ? undefined : await resolveCommit(repo, revision));
  }
  return {
    refspecs: (options.refspecs ?? []).map(parseRefspec),
    delete: options.delete ?? false,
    all: options.all ?? false,
    tags: options.tags ?? false,
    force: options.force ?? false,
    merge: options.merge ?? false,
    sameName: (options.setUpstream ?? false) || remote.name === undefined,
    leases,
    tracked: async (ref) => {
      const name = remote.fetch.map((spec) => mapRef(spec, ref)).find((one) => one !== undefined);
      return name === undefined ? undefined : repo.store.getRef(name);
    },
  };
}

async function carryOut(
  repo: Repository,
  remote: Remote,
  there: RemoteRefs,
  planned: readonly PlannedPush[],
  options: PushOptions,
): Promise<PushedRef[]> {
  const at = new Map(there.refs.map(({ name, hash }) => [name, hash]));
  const judged: PushedRef[] = [];
  for (const one of planned) judged.push(await judge(repo, one, at.get(one.ref) ?? null));
  const isRefused = judged.some(({ outcome }) => outcome === 'refused');
  if (options.atomic && isRefused) return judged.map(refusedWithOthers);
  const open = planned.filter((_, i) => !['refused', 'up-to-date'].includes(judged[i].outcome));
  if (options.dryRun || open.length === 0) return judged;
  const updates = open.map(({ ref, old, new: hash, strategy }) => ({
    ref,
    old,
    new: hash,
    strategy,
  }));
  const request = { updates, atomic: options.atomic ?? false };
  const outcomes = await sendPush(repo, remote, request, there);
  const told = new Map(outcomes.map((outcome) => [outcome.ref, outcome]));
  return judged.map((one) => {
    const outcome = told.get(one.target);
    return outcome === undefined ? one : asTold(one, outcome);
  });
}

/** What can be said of a command before it is sent. */
async function judge(repo: Repository, plan: PlannedPush, head: Hash | null): Promise<PushedRef> {
  const { ref, old, new: hash, strategy } = plan;
  const source = plan.source === null ? null : (plan.sourceRef ?? plan.source);
  const pushed = { source, target: ref, old: head, hash };
  const name = shortRefName(ref);
  if (head === hash) return { ...pushed, outcome: 'up-to-date' };
  const refused = (code: ErrorCode, message: string, hint: string): PushedRef => {
    const reason = { code, message, hint, data: { ref, head } };
    return { ...pushed, hash: head, outcome: 'refused', reason };
  };
  if (old !== head) {
    const message = `push to '${name}' refused: it is not where it was last seen`;
    return refused('ref-moved', message, 'dv fetch, look at what came, then push again');
  }
  if (hash === null) return { ...pushed, outcome: 'deleted' };
  if (head === null) return { ...pushed, outcome: 'new' };
  if (ref.startsWith(TAG_PREFIX) && strategy !== 'force') {
    const message = `push to tag '${name}' refused: the remote has another tag of that name`;
    return refused('already-exists', message, `dv push --force moves it for everybody`);
  }
  const lacking = await commitsLacking(repo, head, hash);
  if (lacking === 0) return { ...pushed, outcome: 'updated' };
  if (strategy === 'force') return { ...pushed, outcome: 'forced' };
  if (strategy === 'merge') return { ...pushed, outcome: 'merged' };
  const commits =
    lacking === undefined ? 'commits' : lacking === 1 ? '1 commit' : `${lacking} commits`;
  const message = `push to '${name}' refused: the remote has ${commits} you do not have`;
  return refused('not-fast-forward', message, 'dv pull, then push again; or dv push --merge');
}

/** How many commits the remote has that `hash` has not; undefined: not known here. */
async function commitsLacking(
  repo: Repository,
  head: Hash,
  hash: Hash,
): Promise<number | undefined> {
  const [present] = await repo.store.hasMany([head]);
  if (!present) return undefined;
  const [a, b] = [await peelToCommit(repo.store, hash), await peelToCommit(repo.store, head)];
  if (await isAncestor(repo.store, b, a)) return 0;
  return (await countDivergence(repo.store, a, b)).behind;
}

function refusedWithOthers(one: PushedRef): PushedRef {
  if (one.outcome === 'refused' || one.outcome === 'up-to-date') return one;
  const message = 'another ref of this atomic push is refused';
  return { ...one, hash: one.old, outcome: 'refused', reason: { code: 'push-refused', message } };
}

function asTold(one: PushedRef, outcome: RefOutcome): PushedRef {
  if (outcome.status === 'merged') return { ...one, outcome: 'merged', hash: outcome.hash };
  if (outcome.status === 'ok') {
    const isPlain = one.outcome === 'merged'; // it was there to be merged, and needed none
    return { ...one, hash: outcome.hash, ...(isPlain && { outcome: 'updated' as const }) };
  }
  const { code, message, hint, data, head } = outcome;
  const reason = { code, message, ...(hint && { hint }), ...(data && { data }) };
  return { ...one, outcome: 'refused', hash: head, reason };
}

/** Moves what follows the refs here, as a fetch would. */
async function track(
  repo: Repository,
  config: RemoteConfig,
  pushed: readonly PushedRef[],
): Promise<void> {
  const refs: RefUpdate[] = [];
  for (const { target, hash, outcome } of pushed) {
    const name = config.fetch.map((spec) => mapRef(spec, target)).find((one) => one !== undefined);
    if (name === undefined || outcome === 'refused' || outcome === 'merged') continue;
    const old = (await repo.store.getRef(name)) ?? null;
    if (old !== hash) refs.push({ name, old, new: hash });
  }
  if (refs.length === 0) return;
  const log = { actor: await actorName(repo), time: repo.env.now(), message: 'update by push' };
  // Lost against a fetch that runs at the same time: that one knows as much.
  await repo.store.transact({ refs, log });
}

function follow(
  repo: Repository,
  config: RemoteConfig,
  planned: readonly PlannedPush[],
  pushed: readonly PushedRef[],
): { branch: string; follows: string }[] {
  const remote = config.name ?? config.url;
  const followed: { branch: string; follows: string }[] = [];
  for (const [i, { sourceRef, ref }] of planned.entries()) {
    const isBranch = sourceRef?.startsWith(BRANCH_PREFIX) && ref.startsWith(BRANCH_PREFIX);
    if (!isBranch || sourceRef === undefined || pushed[i].outcome === 'refused') continue;
    setUpstream(repo, shortRefName(sourceRef), remote, ref);
    followed.push({ branch: shortRefName(sourceRef), follows: `${remote}/${shortRefName(ref)}` });
  }
  return followed;
}

/** The error that a push with refused refs is; undefined: all went well. */
export function pushRefusal({ refs }: PushResult): DvError | undefined {
  const refused = refs.filter(({ outcome }) => outcome === 'refused');
  const [first] = refused;
  if (first === undefined) return undefined;
  // Refs that only go with others, as in an atomic push, say nothing of their own.
  const { reason } = refused.find((one) => one.reason?.code !== 'push-refused') ?? first;
  const { code, message, hint, data } = reason ?? { code: 'push-refused', message: '' };
  const known = Object.hasOwn(ERROR_KINDS, code) ? (code as ErrorCode) : 'push-refused';
  if (refused.length === 1) {
    return new DvError(known, message, { ...(hint && { hint }), ...(data && { data }) });
  }
  return new DvError(known, `${refused.length} of ${refs.length} refs were refused`, {
    hint: hint ?? 'dv pull, then push again',
    data: { refs: refused.map(({ target, reason }) => ({ ref: target, ...reason })) },
  });
}

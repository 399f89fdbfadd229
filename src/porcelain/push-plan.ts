/**
 * What a push asks of a remote: refspecs and flags to one command a ref. Pure but for the
 * look-up of what is here.
 *
 *   1. Refspecs as they are typed; a target without `refs/` is the ref that the remote has by
 *      that name, or else of the kind of its source.
 *   2. --delete: targets alone. --all: every branch. --tags: every tag, besides the rest.
 *   3. Nothing typed: the current branch, to its upstream of the same name (git's `simple`); to
 *      a remote that it does not follow, under its own name.
 *   4. A lease says where the ref was last seen; without one, where the remote says it is.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { BRANCH_PREFIX, shortRefName, TAG_PREFIX } from '../model/names.ts';
import type { PushStrategy, RefCommand, RemoteRefs } from '../sync/protocol.ts';
import { expandName, type Refspec } from '../sync/refspec.ts';

export interface PlannedPush extends RefCommand {
  /** As it was typed or is called here; null: deletes. */
  readonly source: string | null;
  /** The ref here that it comes from, where it is one. */
  readonly sourceRef: string | undefined;
  readonly force: boolean;
}

/** What is here. */
export interface PushSources {
  readonly branches: readonly { readonly name: string; readonly hash: Hash }[];
  readonly tags: readonly { readonly name: string; readonly hash: Hash }[];
  /** HEAD's branch in full; null when it is detached. */
  readonly current: string | null;
  /** What the current branch follows at this remote, if it does. */
  readonly upstream: { readonly merge: string } | 'other-remote' | undefined;
  readonly findRef: (name: string) => Promise<string | undefined>;
  /** The commit, or where `name` is a tag the tag itself. */
  readonly resolve: (name: string) => Promise<Hash>;
}

export interface PushFlags {
  readonly refspecs: readonly Refspec[];
  readonly delete: boolean;
  readonly all: boolean;
  readonly tags: boolean;
  readonly force: boolean;
  readonly merge: boolean;
  /** The current branch where it follows nothing (`-u`, or a URL that was typed). */
  readonly sameName: boolean;
  /** By ref at the remote in full or short, `''` for all; undefined hash: where it was fetched. */
  readonly leases: ReadonlyMap<string, Hash | null | undefined>;
  readonly tracked: (ref: string) => Promise<Hash | undefined>;
}

/** @throws DvError `bad-option`, `unknown-ref`, `no-upstream`, `bad-revision` */
export async function planPush(
  remote: RemoteRefs,
  sources: PushSources,
  flags: PushFlags,
): Promise<PlannedPush[]> {
  const specs = await expandSpecs(sources, flags);
  const there = new Map(remote.refs.map(({ name, hash }) => [name, hash]));
  const planned = new Map<string, PlannedPush>();
  for (const spec of specs) {
    const one = await planOne(spec, there, sources, flags);
    const other = planned.get(one.ref);
    if (other !== undefined && other.new !== one.new) {
      throw new DvError('bad-option', `two refspecs would both move '${one.ref}'`, {
        hint: 'name each target once',
      });
    }
    planned.set(one.ref, one);
  }
  return [...planned.values()];
}

async function expandSpecs(sources: PushSources, flags: PushFlags): Promise<readonly Refspec[]> {
  const { refspecs } = flags;
  checkFlags(flags);
  if (flags.delete) {
    return refspecs.map((spec) => {
      if (spec.target !== null || spec.source === null) {
        throw new DvError('bad-option', "'--delete' takes names of refs, not pairs");
      }
      return { force: false, source: null, target: spec.source };
    });
  }
  const own = (name: string): Refspec => ({ force: false, source: name, target: name });
  const patterns = refspecs.filter(({ source }) => source?.includes('*'));
  const specs = refspecs.filter((spec) => !patterns.includes(spec));
  for (const spec of patterns) specs.push(...matching(spec, sources));
  if (flags.all) specs.push(...sources.branches.map(({ name }) => own(name)));
  if (flags.tags) specs.push(...sources.tags.map(({ name }) => own(name)));
  if (specs.length > 0 || flags.all || flags.tags || patterns.length > 0) return specs;
  return [defaultSpec(sources, flags)];
}

/** @throws DvError `bad-option` for flags that name nothing, or two things at once */
function checkFlags(flags: PushFlags): void {
  const complain = (message: string, hint: string): never => {
    throw new DvError('bad-option', message, { hint });
  };
  const other = flags.all ? '--all' : flags.tags ? '--tags' : undefined;
  if (flags.delete && other !== undefined) {
    complain(`'--delete' and '${other}' exclude each other`, 'dv push REMOTE --delete BRANCH');
  }
  if (flags.delete && flags.refspecs.length === 0) {
    complain("'--delete' needs the names of refs", 'dv push REMOTE --delete BRANCH');
  }
  if (flags.all && flags.refspecs.length > 0) {
    complain("'--all' pushes every branch, so name none", 'dv push --all REMOTE');
  }
}

function matching({ force, source, target }: Refspec, sources: PushSources): Refspec[] {
  const [before, after] = (source ?? '').split('*');
  const all = [...sources.branches, ...sources.tags].map(({ name }) => name);
  const matched = all.filter(
    (name) =>
      name.length >= before.length + after.length &&
      name.startsWith(before) &&
      name.endsWith(after),
  );
  return matched.map((name) => {
    const star = name.slice(before.length, name.length - after.length);
    return { force, source: name, target: (target ?? source ?? '').replace('*', () => star) };
  });
}

/** Case 3. */
function defaultSpec({ current, upstream }: PushSources, { sameName }: PushFlags): Refspec {
  if (current === null) {
    throw new DvError('bad-option', 'HEAD is on no branch, so there is none to push', {
      hint: 'dv push REMOTE HEAD:BRANCH',
    });
  }
  const own = { force: false, source: current, target: current };
  if (sameName || upstream === 'other-remote') return own;
  const name = shortRefName(current);
  if (upstream === undefined) {
    throw new DvError('no-upstream', `branch '${name}' has no upstream to push to`, {
      hint: `dv push -u origin ${name} pushes it and follows it`,
      data: { branch: name },
    });
  }
  if (upstream.merge === current) return own;
  const there = shortRefName(upstream.merge);
  throw new DvError('bad-option', `branch '${name}' follows '${there}', another name`, {
    hint: `dv push origin HEAD:${there}, or dv push origin ${name}`,
  });
}

async function planOne(
  spec: Refspec,
  there: ReadonlyMap<string, Hash>,
  sources: PushSources,
  flags: PushFlags,
): Promise<PlannedPush> {
  const names = new Set(there.keys());
  if (spec.source === null) {
    const ref = expandName(spec.target ?? '', names);
    if (ref === undefined) {
      throw new DvError('unknown-ref', `the remote has no ref '${spec.target}' to delete`, {
        hint: 'dv ls-remote lists what it has',
      });
    }
    const old = await expected(ref, there, flags);
    return command(ref, old, null, flags.leases.size > 0 ? 'force' : 'ff-only', spec);
  }
  const isHead = spec.source === 'HEAD' || spec.source === '@';
  const sourceRef = isHead ? (sources.current ?? undefined) : await sources.findRef(spec.source);
  const hash = await sources.resolve(sourceRef ?? spec.source);
  const target = spec.target ?? sourceRef ?? spec.source;
  const ref = targetRef(target, names, sourceRef, spec.source);
  const old = await expected(ref, there, flags);
  const isLeased = leaseOf(ref, flags).found;
  const force = flags.force || spec.force || isLeased;
  const strategy = force
    ? 'force'
    : flags.merge && ref.startsWith(BRANCH_PREFIX)
      ? 'merge'
      : 'ff-only';
  return { ...command(ref, old, hash, strategy, spec), sourceRef, force };
}

function command(
  ref: string,
  old: Hash | null,
  hash: Hash | null,
  strategy: PushStrategy,
  { source, force }: Refspec,
): PlannedPush {
  return { ref, old, new: hash, strategy, source, sourceRef: undefined, force };
}

function targetRef(
  target: string,
  names: ReadonlySet<string>,
  sourceRef: string | undefined,
  source: string,
): string {
  if (target.startsWith('refs/')) return target;
  const known = expandName(target, names);
  if (known !== undefined) return known;
  if (sourceRef?.startsWith(TAG_PREFIX)) return TAG_PREFIX + target;
  if (sourceRef?.startsWith(BRANCH_PREFIX)) return BRANCH_PREFIX + target;
  throw new DvError(
    'bad-option',
    `'${source}' is no branch, so '${target}' may be a branch or a tag`,
    {
      hint: `say which: ${source}:refs/heads/${target}`,
    },
  );
}

/** Case 4. @throws DvError `bad-option` for a lease on what was never fetched */
async function expected(
  ref: string,
  there: ReadonlyMap<string, Hash>,
  flags: PushFlags,
): Promise<Hash | null> {
  const { found, hash } = leaseOf(ref, flags);
  if (!found) return there.get(ref) ?? null;
  if (hash !== undefined) return hash;
  const seen = await flags.tracked(ref);
  if (seen !== undefined) return seen;
  if (!there.has(ref)) return null;
  throw new DvError('bad-option', `nothing here says where '${ref}' was last seen`, {
    hint: `--force-with-lease=${shortRefName(ref)}:COMMIT`,
  });
}

function leaseOf(ref: string, { leases }: PushFlags): { found: boolean; hash?: Hash | null } {
  for (const key of [ref, shortRefName(ref), '']) {
    if (leases.has(key)) return { found: true, hash: leases.get(key) };
  }
  return { found: false };
}

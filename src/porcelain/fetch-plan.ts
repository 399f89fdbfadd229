/**
 * Which refs of a remote a fetch takes, and which refs here follow them. Pure.
 *
 *   1. Refspecs of the command line, or else the remote's own.
 *   2. A ref named on the command line moves what usually follows it, too.
 *   3. Tags: all of them, or those of the commits that come along, or none.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { TAG_PREFIX } from '../model/names.ts';
import type { RemoteRef, RemoteRefs } from '../sync/protocol.ts';
import { expandName, mapRef, matchPattern, type Refspec } from '../sync/refspec.ts';

export interface PlannedRef {
  /** The ref at the remote, in full. */
  readonly source: string;
  readonly hash: Hash;
  /** The ref here; null: fetched and kept under no name. */
  readonly target: string | null;
  readonly force: boolean;
  /** What `pull` merges: named on the command line, or the upstream. */
  readonly forMerge: boolean;
}

export interface FetchQuestion {
  /** Of the command line. */
  readonly typed: readonly Refspec[];
  readonly configured: readonly Refspec[];
  readonly tags: 'auto' | 'all' | 'none';
  /** The ref there that the current branch follows. */
  readonly upstream: string | undefined;
}

/** @throws DvError `unknown-ref` for a ref that was typed and is not there */
export function planFetch(remote: RemoteRefs, question: FetchQuestion): PlannedRef[] {
  const { typed, configured, tags, upstream } = question;
  const planned: PlannedRef[] = [];
  for (const spec of typed.length > 0 ? typed : configured) {
    const sources = sourcesOf(remote, spec, typed.length > 0);
    for (const { name, hash } of sources) {
      const isPattern = spec.source?.includes('*') ?? false;
      const target = targetOf(spec, name);
      const forMerge = typed.length > 0 ? !isPattern : name === upstream;
      planned.push({ source: name, hash, target, force: spec.force, forMerge });
      if (typed.length === 0) continue;
      for (const own of configured) {
        const usual = mapRef(own, name);
        if (usual === undefined || usual === target) continue;
        planned.push({ source: name, hash, target: usual, force: own.force, forMerge: false });
      }
    }
  }
  if (typed.length === 0 && configured.length === 0) planned.push(...headOf(remote));
  if (tags === 'all') planned.push(...remote.refs.filter(isTag).map(asTag));
  return withoutDoubles(planned);
}

function sourcesOf(
  { refs, head }: RemoteRefs,
  { source }: Refspec,
  isTyped: boolean,
): readonly RemoteRef[] {
  if (source?.includes('*')) {
    return refs.filter(({ name }) => matchPattern(source, name) !== undefined);
  }
  const asked = source === null || source === 'HEAD' || source === '@' ? head : source;
  const name = asked === null ? undefined : expandName(asked, new Set(refs.map((ref) => ref.name)));
  const found = refs.filter((ref) => ref.name === name);
  if (found.length > 0 || !isTyped) return found;
  throw new DvError('unknown-ref', `the remote has no ref '${source ?? 'HEAD'}'`, {
    hint: 'dv ls-remote lists what it has',
    data: { ref: source },
  });
}

/** A short target is a branch, or where the source is a tag, a tag. */
function targetOf({ source, target }: Refspec, ref: string): string | null {
  if (target === null) return null;
  if (source?.includes('*')) return mapRef({ force: false, source, target }, ref) ?? null;
  if (target.startsWith('refs/')) return target;
  return ref.startsWith(TAG_PREFIX) ? TAG_PREFIX + target : `refs/heads/${target}`;
}

function headOf({ head, refs }: RemoteRefs): PlannedRef[] {
  return refs
    .filter(({ name }) => name === head)
    .map(({ name, hash }) => ({ source: name, hash, target: null, force: false, forMerge: true }));
}

const isTag = ({ name }: RemoteRef): boolean => name.startsWith(TAG_PREFIX);

const asTag = ({ name, hash }: RemoteRef): PlannedRef => ({
  source: name,
  hash,
  target: name,
  force: false,
  forMerge: false,
});

/** The first that says where a ref goes counts. @throws DvError `bad-option` when two disagree */
function withoutDoubles(planned: readonly PlannedRef[]): PlannedRef[] {
  const kept = new Map<string, PlannedRef>();
  for (const one of planned) {
    const key = one.target ?? `${one.source} alone`;
    const other = kept.get(key);
    if (other === undefined) kept.set(key, one);
    else if (other.hash !== one.hash) {
      throw new DvError(
        'bad-option',
        `'${other.source}' and '${one.source}' would both become '${key}'`,
        {
          hint: 'give each a name of its own: SOURCE:TARGET',
        },
      );
    }
  }
  return [...kept.values()];
}

/** Tags that follow the commits that come (case 3), by what they lead to. */
export function followedTags(
  { refs }: RemoteRefs,
  isComing: (commit: Hash) => boolean,
): PlannedRef[] {
  return refs.filter((ref) => isTag(ref) && isComing(ref.peeled ?? ref.hash)).map(asTag);
}

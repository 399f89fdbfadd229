/**
 * Text that names a commit, as in gitrevisions(7):
 *
 *   HEAD, @, branch, tag, refs/...      a ref (tags win over branches, as in git)
 *   3f2a91c...                          a hash, or a prefix of 4 or more digits
 *   REV~N, REV^, REV^N                  ancestors and parents
 *   REF@{N}                             where the ref was N changes ago
 *   REF@{time}                          where the ref was at that time; of a remote or
 *                                       freshly cloned branch, its last commit by then
 *   BRANCH@{upstream}, @{u}             what the branch follows
 *
 * `REV:TABLE` is split off by `splitTableRevision` before.
 */
import { DvError } from '../errors.ts';
import { type Hash, isHash } from '../hash.ts';
import type { Store } from '../store/contract.ts';
import { readHead } from './head.ts';
import { type HeadMove, listHeadMoves } from './head-log.ts';
import { walkHistory } from './history.ts';
import { BRANCH_PREFIX, REMOTE_PREFIX, TAG_PREFIX } from './names.ts';
import { peelToCommit, readChunk, readCommit } from './object-reader.ts';
import { COMMIT_KIND, TAG_KIND } from './objects.ts';

/** Turns `@{...}` text into ms since the epoch; undefined when it is no time. */
export type ParseTime = (text: string) => number | undefined;

/** The ref that a branch follows. Throws for one that follows none. */
export type FindUpstream = (branch: string) => string;

const MIN_PREFIX = 4;

function unknown(text: string): DvError {
  return new DvError('bad-revision', `"${text}" names no commit`, {
    hint: 'dv log --oneline, dv branch and dv tag list what there is',
    data: { revision: text },
  });
}

/**
 * `[revision, table]` of `REV:TABLE`; no colon: the text is a table's name alone. A colon in
 * `@{12:30}` belongs to the revision; neither a ref nor a table has one in its name.
 */
export function splitTableRevision(text: string): [revision: string | undefined, table: string] {
  const match = /^((?:@\{[^}]*\}|(?!@\{[^}]*\})[^:])*):(.*)$/s.exec(text);
  return match === null ? [undefined, text] : [match[1], match[2]];
}

/** The full name of the ref that `name` means, or undefined. */
export async function findRef(store: Store, name: string): Promise<string | undefined> {
  const candidates = [name, TAG_PREFIX + name, BRANCH_PREFIX + name, REMOTE_PREFIX + name];
  for (const candidate of candidates) {
    if (!candidate.startsWith('refs/')) continue;
    if ((await store.getRef(candidate)) !== undefined) return candidate;
  }
  return undefined;
}

/**
 * The object (commit or annotated tag) that a revision without suffixes names.
 * @throws DvError `bad-revision`, `ambiguous-hash`, `no-commits`
 */
async function resolveName(store: Store, name: string): Promise<Hash> {
  if (name === 'HEAD' || name === '@') {
    const head = await readHead(store);
    if (head.commit !== undefined) return head.commit;
    const branch = head.kind === 'branch' ? head.branch : 'HEAD';
    throw new DvError('no-commits', `branch '${branch}' has no commits yet`, {
      hint: 'dv add FILE, then dv commit -m MESSAGE',
    });
  }
  const ref = await findRef(store, name);
  const target = ref === undefined ? undefined : await store.getRef(ref);
  if (target !== undefined) return target;
  if (!/^[0-9a-f]{4,64}$/.test(name)) throw unknown(name);
  return resolvePrefix(store, name);
}

async function resolvePrefix(store: Store, prefix: string): Promise<Hash> {
  const found = isHash(prefix) ? [prefix] : await store.findHashes(prefix, 4096);
  const commits: Hash[] = [];
  for (const [i, bytes] of (await store.getMany(found)).entries()) {
    if (bytes !== undefined && (bytes[0] === COMMIT_KIND || bytes[0] === TAG_KIND)) {
      commits.push(found[i]);
    }
  }
  if (commits.length === 1) return commits[0];
  if (commits.length === 0 || prefix.length < MIN_PREFIX) throw unknown(prefix);
  throw new DvError('ambiguous-hash', `"${prefix}" begins ${commits.length} commits' hashes`, {
    hint: `type more digits: ${commits.map((hash) => hash.slice(0, prefix.length + 4)).join(', ')}`,
    data: { prefix, matches: commits },
  });
}

/** `REF@{...}`: by count through the reflog, or by time. */
async function resolveAt(
  store: Store,
  base: string,
  at: string,
  parseTime: ParseTime,
  upstream: FindUpstream | undefined,
): Promise<Hash> {
  if (/^(?:u|upstream)$/i.test(at) && upstream !== undefined) {
    return resolveUpstream(store, base, upstream);
  }
  const ref = await logName(store, base);
  if (/^\d{1,9}$/.test(at)) {
    const steps = Number(at);
    const entries = await readMoves(store, ref, steps + 1);
    if (entries.length === 0 && steps === 0) return resolveName(store, base);
    const entry = entries[steps];
    const hash = entry?.new ?? (steps > 0 ? entries[steps - 1]?.old : undefined);
    if (hash === undefined || hash === null) throw unknown(`${base}@{${at}}`);
    return hash;
  }
  const time = parseTime(at);
  if (time === undefined) {
    throw new DvError('bad-date', `"${at}" is neither a number nor a time`, {
      hint: 'for example main@{2026-11-01} or main@{2 days ago}',
    });
  }
  return atTime(store, base === '' ? 'HEAD' : base, ref, time);
}

/** Of HEAD as many as are kept. */
function readMoves(
  store: Store,
  ref: string,
  most: number,
): Promise<readonly Pick<HeadMove, 'old' | 'new' | 'time'>[]> {
  return ref === 'HEAD' ? listHeadMoves(store) : store.readLog(ref, most);
}

async function resolveUpstream(store: Store, base: string, find: FindUpstream): Promise<Hash> {
  const head = await readHead(store);
  const named = base === '' || base === 'HEAD' || base === '@';
  if (named && head.kind !== 'branch') throw unknown(`${base}@{upstream}`);
  const branch = named && head.kind === 'branch' ? head.branch : base;
  const ref = find(branch.startsWith(BRANCH_PREFIX) ? branch.slice(BRANCH_PREFIX.length) : branch);
  const target = await store.getRef(ref);
  if (target !== undefined) return target;
  throw new DvError('bad-revision', `what branch '${branch}' follows, '${ref}', is not here`, {
    hint: 'dv fetch brings it',
    data: { revision: `${base}@{upstream}` },
  });
}

/** The name under which the feed logs `base`: a ref's full name; HEAD's is its branch. */
async function logName(store: Store, base: string): Promise<string> {
  if (base === '' || base === 'HEAD' || base === '@') {
    const head = await readHead(store);
    return base === '' && head.kind === 'branch' ? BRANCH_PREFIX + head.branch : 'HEAD';
  }
  const ref = await findRef(store, base);
  if (ref === undefined) throw unknown(base);
  return ref;
}

async function atTime(store: Store, base: string, ref: string, time: number): Promise<Hash> {
  for (const entry of await readMoves(store, ref, 1_000_000)) {
    if (entry.time <= time && entry.new !== null) return entry.new;
  }
  // Older than the log: the branch's newest commit of that time.
  const start = await peelToCommit(store, await resolveName(store, base));
  for await (const { hash, commit } of walkHistory(store, [start], { firstParent: true })) {
    if (commit.committer.time <= time) return hash;
  }
  const when = new Date(time).toISOString();
  throw new DvError('bad-revision', `'${base}' has no commit as old as ${when}`, {
    hint: 'dv log shows the first one',
  });
}

async function ancestor(store: Store, from: Hash, steps: number, text: string): Promise<Hash> {
  let hash = from;
  for (let i = 0; i < steps; i++) hash = await parent(store, hash, 1, text);
  return hash;
}

async function parent(store: Store, from: Hash, n: number, text: string): Promise<Hash> {
  if (n === 0) return from;
  const found = (await readCommit(store, from)).parents[n - 1];
  if (found === undefined) throw unknown(text);
  return found;
}

/**
 * The commit that `text` names.
 * @throws DvError `bad-revision`, `ambiguous-hash`, `no-commits`, `bad-date`
 */
export async function resolveRevision(
  store: Store,
  text: string,
  parseTime: ParseTime,
  upstream?: FindUpstream,
): Promise<Hash> {
  const match = /^(.*?)(?:@\{([^}]*)\})?((?:[~^]\d*)*)$/s.exec(text);
  if (match === null || text === '') throw unknown(text);
  const [, base, at, suffix] = match;
  const named =
    at === undefined
      ? await resolveName(store, base === '' ? text : base)
      : await resolveAt(store, base, at, parseTime, upstream);
  let commit = await peelToCommit(store, named);
  if ((await readChunk(store, commit))[0] !== COMMIT_KIND) throw unknown(text);
  for (const [, kind, digits] of suffix.matchAll(/([~^])(\d*)/g)) {
    const n = digits === '' ? 1 : Number(digits);
    commit =
      kind === '~' ? await ancestor(store, commit, n, text) : await parent(store, commit, n, text);
  }
  return commit;
}

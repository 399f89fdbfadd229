/**
 * `dv log`: commits newest first, streaming, filtered. The first one costs one read; a
 * filter by table compares the roots of each commit and its parents.
 */
import type { Hash } from '../hash.ts';
import { type LoggedCommit, type WalkOptions, walkHistory } from '../model/history.ts';
import { mergeBases } from '../model/merge-base.ts';
import { readResolved } from '../model/merge-record.ts';
import { peelToCommit, readCommit } from '../model/object-reader.ts';
import type { Commit } from '../model/objects.ts';
import { diffRoots, getRootEntry, sameEntry } from '../model/root.ts';
import { walkTopological } from '../model/topological.ts';
import { rootOfCommit } from '../model/working-set.ts';
import { type CommitSummary, firstLine, summarize } from './commit.ts';
import { headCommit, type Repository, resolveCommit } from './repository.ts';

export interface LogOptions {
  /** Where to start; HEAD by default. `^REV` and `A..B` leave ancestors out. */
  readonly revisions?: readonly string[];
  readonly all?: boolean;
  readonly limit?: number;
  readonly skip?: number;
  /** ms since the epoch. */
  readonly since?: number;
  readonly until?: number;
  /** Regular expressions over `Name <email>` and the message; any may match. */
  readonly author?: readonly string[];
  readonly grep?: readonly string[];
  readonly ignoreCase?: boolean;
  readonly firstParent?: boolean;
  /** Only commits that changed one of these tables, or one below these directories. */
  readonly tables?: readonly string[];
  /** Only commits in which merge rules decided something. */
  readonly resolved?: boolean;
  /** Row counts with each commit. */
  readonly stat?: boolean;
  /**
   * For drawing: no parent comes before a child, and commits that the filters leave out come
   * too, with `matches` false.
   */
  readonly graph?: boolean;
}

export interface LogEntry {
  readonly hash: Hash;
  readonly commit: Commit;
  /** With `graph`, only the parents that belong to the log. */
  readonly parents: readonly Hash[];
  readonly matches: boolean;
  readonly summary: CommitSummary | undefined;
}

interface Range {
  readonly starts: Hash[];
  readonly exclude: Hash[];
}

async function parseRange(repo: Repository, options: LogOptions): Promise<Range> {
  const range: Range = { starts: [], exclude: [] };
  for (const text of options.revisions ?? []) {
    const dots = /^(.*?)(\.\.\.?)(.*)$/.exec(text);
    if (dots !== null && dots[2] === '...') {
      const ends = [
        await resolveCommit(repo, dots[1] || 'HEAD'),
        await resolveCommit(repo, dots[3] || 'HEAD'),
      ];
      range.starts.push(...ends);
      range.exclude.push(...(await mergeBases(repo.store, ends[0], ends[1])));
    } else if (dots !== null) {
      range.exclude.push(await resolveCommit(repo, dots[1] || 'HEAD'));
      range.starts.push(await resolveCommit(repo, dots[3] || 'HEAD'));
    } else if (text.startsWith('^')) range.exclude.push(await resolveCommit(repo, text.slice(1)));
    else range.starts.push(await resolveCommit(repo, text));
  }
  if (options.all) {
    const head = await headCommit(repo);
    if (head !== undefined) range.starts.push(head);
    for (const { hash } of await repo.store.listRefs('refs/')) {
      range.starts.push(await peelToCommit(repo.store, hash));
    }
  }
  if (range.starts.length === 0) range.starts.push(await resolveCommit(repo, 'HEAD'));
  return range;
}

/** @throws DvError `bad-revision`, `no-commits` */
export async function* log(repo: Repository, options: LogOptions = {}): AsyncGenerator<LogEntry> {
  const { starts, exclude } = await parseRange(repo, options);
  const matches = matcher(options);
  let skip = options.skip ?? 0;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  const walk = { exclude, firstParent: options.firstParent, stopAt: stopBefore(options.since) };
  for await (const logged of walkCommits(repo, starts, walk, options.graph)) {
    const wanted = matches(logged.commit) && (await touches(repo, logged, options.tables));
    if (!wanted || skip > 0) {
      if (wanted) skip -= 1;
      if (options.graph) yield { ...logged, matches: false, summary: undefined };
      continue;
    }
    const summary = options.stat ? await commitSummary(repo, logged.commit) : undefined;
    yield { ...logged, matches: true, summary };
    left -= 1;
    if (left <= 0) return;
  }
}

async function* walkCommits(
  { store }: Repository,
  starts: readonly Hash[],
  walk: WalkOptions,
  graph = false,
): AsyncGenerator<LoggedCommit & { readonly parents: readonly Hash[] }> {
  if (graph) yield* walkTopological(store, starts, walk);
  else {
    for await (const logged of walkHistory(store, starts, walk)) {
      yield { ...logged, parents: logged.commit.parents };
    }
  }
}

/** The clock only grows from parent to child, so everything below is older too. */
function stopBefore(since: number | undefined): WalkOptions['stopAt'] {
  return since === undefined ? undefined : ({ clock }) => clock.ms < since;
}

/** The first line of a commit's message. */
export async function readSubject(repo: Repository, hash: Hash): Promise<string> {
  return firstLine((await readCommit(repo.store, hash)).message);
}

/** What a commit changed against its first parent. */
export async function commitSummary(repo: Repository, commit: Commit): Promise<CommitSummary> {
  const before = await rootOfCommit(repo.nodes, commit.parents[0]);
  return summarize(repo.nodes, before, commit.root);
}

function matcher(options: LogOptions): (commit: Commit) => boolean {
  const flags = options.ignoreCase ? 'iu' : 'u';
  const compile = (patterns: readonly string[] = []) => patterns.map((p) => pattern(p, flags));
  const authors = compile(options.author);
  const messages = compile(options.grep);
  return (commit) => {
    const { author, committer, message } = commit;
    if (options.resolved && readResolved(commit) === undefined) return false;
    if (options.since !== undefined && committer.time < options.since) return false;
    if (options.until !== undefined && committer.time > options.until) return false;
    const who = `${author.name} <${author.email}>`;
    if (authors.length > 0 && !authors.some((p) => p.test(who))) return false;
    return messages.length === 0 || messages.some((p) => p.test(message));
  };
}

/** An expression that is none is taken as plain text, as people type `--grep '(draft'`. */
function pattern(text: string, flags: string): RegExp {
  try {
    return new RegExp(text, flags);
  } catch {
    return new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), flags);
  }
}

/**
 * Did the commit change one of the tables? A merge must differ from every parent. Cost: a lookup
 * a table and commit where names are of tables; a comparison of roots where one is a directory.
 */
async function touches(
  repo: Repository,
  { commit }: LoggedCommit,
  tables: readonly string[] = [],
): Promise<boolean> {
  if (tables.length === 0 || tables.includes('')) return true;
  const parents = commit.parents.length === 0 ? [undefined] : commit.parents;
  for (const parent of parents) {
    const root = await rootOfCommit(repo.nodes, parent);
    if (root === commit.root || !(await differs(repo, root, commit.root, tables))) return false;
  }
  return true;
}

async function differs(
  repo: Repository,
  from: Hash,
  to: Hash,
  names: readonly string[],
): Promise<boolean> {
  for (const name of names) {
    const before = await getRootEntry(repo.nodes, from, name);
    const after = await getRootEntry(repo.nodes, to, name);
    if (!sameEntry(before, after)) return true;
    if (before !== undefined) continue;
    const differences = await diffRoots(repo.nodes, from, to);
    if (differences.some((one) => one.name.startsWith(`${name}/`))) return true;
  }
  return false;
}

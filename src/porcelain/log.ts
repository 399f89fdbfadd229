/**
 * `dv log`: commits newest first, streaming, filtered. The first one costs one read; a
 * filter by table compares one entry per commit.
 */
import type { Hash } from '../hash.ts';
import { type LoggedCommit, walkHistory } from '../model/history.ts';
import { readCommit } from '../model/object-reader.ts';
import type { Commit } from '../model/objects.ts';
import { getRootEntry } from '../model/root.ts';
import { rootOfCommit } from '../model/working-set.ts';
import { sameEntry } from './add.ts';
import { type CommitSummary, summarize } from './commit.ts';
import { type Repository, resolveCommit } from './repository.ts';

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
  /** Only commits that changed one of these tables. */
  readonly tables?: readonly string[];
  /** Row counts with each commit. */
  readonly stat?: boolean;
}

export interface LogEntry {
  readonly hash: Hash;
  readonly commit: Commit;
  readonly summary: CommitSummary | undefined;
}

interface Range {
  readonly starts: Hash[];
  readonly exclude: Hash[];
}

async function parseRange(repo: Repository, options: LogOptions): Promise<Range> {
  const range: Range = { starts: [], exclude: [] };
  for (const text of options.revisions ?? []) {
    const dots = /^(.*?)\.\.(.*)$/.exec(text);
    if (dots !== null) {
      range.exclude.push(await resolveCommit(repo, dots[1] || 'HEAD'));
      range.starts.push(await resolveCommit(repo, dots[2] || 'HEAD'));
    } else if (text.startsWith('^')) range.exclude.push(await resolveCommit(repo, text.slice(1)));
    else range.starts.push(await resolveCommit(repo, text));
  }
  if (options.all) {
    for (const { name } of await repo.store.listRefs('refs/')) {
      range.starts.push(await resolveCommit(repo, name));
    }
  }
  if (range.starts.length === 0) range.starts.push(await resolveCommit(repo, 'HEAD'));
  return range;
}

/** @throws DvError `bad-revision`, `no-commits`, `bad-option` for a bad expression */
export async function* log(repo: Repository, options: LogOptions = {}): AsyncGenerator<LogEntry> {
  const { starts, exclude } = await parseRange(repo, options);
  const matches = matcher(options);
  let skip = options.skip ?? 0;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  const walk = { exclude, firstParent: options.firstParent };
  for await (const logged of walkHistory(repo.store, starts, walk)) {
    if (!matches(logged.commit)) continue;
    if (options.tables?.length && !(await touches(repo, logged, options.tables))) continue;
    if (skip > 0) {
      skip -= 1;
      continue;
    }
    const summary = options.stat ? await commitSummary(repo, logged.commit) : undefined;
    yield { ...logged, summary };
    left -= 1;
    if (left <= 0) return;
  }
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
  return ({ author, committer, message }) => {
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

/** Did the commit change one of the tables? A merge must differ from every parent. */
async function touches(
  repo: Repository,
  { commit }: LoggedCommit,
  tables: readonly string[],
): Promise<boolean> {
  const parents: Hash[] = [];
  for (const parent of commit.parents) parents.push((await readCommit(repo.store, parent)).root);
  for (const table of tables) {
    const entry = await getRootEntry(repo.nodes, commit.root, table);
    if (parents.length === 0 && entry !== undefined) return true;
    let differs = parents.length > 0;
    for (const root of parents) {
      if (sameEntry(entry, await getRootEntry(repo.nodes, root, table))) differs = false;
    }
    if (differs) return true;
  }
  return false;
}

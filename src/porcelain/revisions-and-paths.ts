/**
 * Telling revisions from paths in `dv diff main cities.csv`, as git does: words are
 * revisions up to the first that is none and names a table, a file or a directory; what
 * could be either is refused; behind `--` everything is a path, before it a revision.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DvError } from '../errors.ts';
import { listRoot } from '../model/root.ts';
import { atPresent, type Repository, resolveCommit, tableNameOf } from './repository.ts';
import { workingSet } from './staging.ts';

/** What no table is called: its own error says best what is wrong with it. */
const SPELT_AS_REVISION = /@\{|[~^]\d*$|\.\./;

export interface RevisionsAndPaths {
  readonly revisions: readonly string[];
  readonly paths: readonly string[];
}

/**
 * `beforeDashes`: how many words came before `--`; undefined without one.
 * @throws DvError `bad-revision`, `ambiguous-hash`, `no-commits`, `bad-date`
 */
export async function splitRevisions(
  repo: Repository,
  words: readonly string[],
  beforeDashes: number | undefined,
): Promise<RevisionsAndPaths> {
  if (beforeDashes !== undefined) {
    return { revisions: words.slice(0, beforeDashes), paths: words.slice(beforeDashes) };
  }
  for (const [index, word] of words.entries()) {
    const isPath = await namesPath(repo, word);
    const isRevision = await namesRevision(repo, word, isPath);
    if (isPath && isRevision) throw ambiguous(word);
    if (!isPath && !isRevision) throw unknownWord(word);
    if (isPath) {
      const paths = words.slice(index);
      for (const path of paths) if (!(await namesPath(repo, path))) throw unknownWord(path);
      return { revisions: words.slice(0, index), paths };
    }
  }
  return { revisions: words, paths: [] };
}

/** A file or directory that exists, or one that is tracked, or a directory above such. */
async function namesPath(repo: Repository, word: string): Promise<boolean> {
  if (existsSync(resolve(repo.cwd, word))) return true;
  const name = nameOf(repo, word);
  if (name === undefined) return false;
  const { staged, headRoot } = await workingSet(repo);
  for (const root of new Set([staged, headRoot])) {
    for (const entry of await listRoot(repo.nodes, root)) {
      if (entry.name === name || entry.name.startsWith(`${name}/`)) return true;
    }
  }
  return false;
}

function nameOf(repo: Repository, word: string): string | undefined {
  try {
    return tableNameOf(repo, word);
  } catch (error) {
    if (error instanceof DvError && error.code === 'bad-name') return undefined;
    throw error;
  }
}

async function namesRevision(repo: Repository, word: string, isPath: boolean): Promise<boolean> {
  try {
    // Whether it had a commit at some time is for whoever resolves it to say.
    for (const revision of endsOf(word)) await resolveCommit(atPresent(repo), revision);
    return true;
  } catch (error) {
    if (!(error instanceof DvError)) throw error;
    if (isPath || (error.code === 'bad-revision' && !SPELT_AS_REVISION.test(word))) return false;
    throw error;
  }
}

/** The revisions of `A..B` and `A...B`, `HEAD` for an end left out; another text alone. */
export function endsOf(text: string): [string] | [from: string, to: string] {
  const range = /^(.*?)\.\.\.?(.*)$/s.exec(text);
  return range === null ? [text] : [range[1] || 'HEAD', range[2] || 'HEAD'];
}

function ambiguous(word: string): DvError {
  return new DvError('bad-revision', `'${word}' is both a revision and a path`, {
    hint: `-- tells them apart: '${word} --' is the revision, '-- ${word}' the path`,
    data: { value: word },
  });
}

function unknownWord(word: string): DvError {
  return new DvError('bad-revision', `'${word}' is neither a revision nor a table or file here`, {
    hint: 'dv log --oneline lists commits, dv ls-tree tables; -- goes before a path that is gone',
    data: { value: word },
  });
}

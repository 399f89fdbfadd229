/**
 * The verbs of dv as methods of an open repository: what the library (src/index.ts) hands
 * out. Nothing is decided here; each method is the verb of that name in its own file.
 */
import type { Hash } from '../hash.ts';
import type { FsckProblem, FsckSummary } from '../model/fsck.ts';
import { type AddedTable, type AddOptions, type AddResult, add } from './add.ts';
import { type AppliedTable, type ApplyOptions, apply } from './apply.ts';
import { SharingRepository } from './bound-sharing.ts';
import {
  type BranchInfo,
  createBranch,
  currentBranch,
  deleteBranch,
  listBranches,
  renameBranch,
} from './branch.ts';
import { type CommitOptions, type CommitResult, commit } from './commit.ts';
import { type Config, readConfig, repositoryConfigFile, setConfig, unsetConfig } from './config.ts';
import { type DiffOptions, type DiffResult, diff } from './diff.ts';
import { statTable, type TableStat } from './diff-stat.ts';
import { type ExportOptions, exportBytes, exportFile } from './export.ts';
import { type ImportFileOptions, importFile } from './import-file.ts';
import { catObject, hashOfTable, type ListedEntry, listTree, type ObjectView } from './inspect.ts';
import { type LogEntry, type LogOptions, log } from './log.ts';
import {
  fsck,
  type GcVerbOptions,
  type GcVerbResult,
  gc,
  type StoreStat,
  storeStat,
} from './maintain.ts';
import { writePatch } from './patch.ts';
import { type RowObject, readRows } from './read-rows.ts';
import { type RemoveOptions, type Renamed, remove, rename } from './remove.ts';
import { type Repository, resolveCommit } from './repository.ts';
import { type ResetMode, type ResetResult, reset } from './reset.ts';
import { type RestoreOptions, type RestoreResult, restore } from './restore.ts';
import { type SquashOptions, type SquashResult, squash } from './squash.ts';
import { type Status, type StatusOptions, status } from './status.ts';
import { type SwitchOptions, type SwitchResult, switchTo } from './switch.ts';
import { setTableRules, type TableRules, tableRules } from './table-rules.ts';
import { type CreateTagOptions, createTag, deleteTag, listTags, type TagInfo } from './tag.ts';

/**
 * An open repository. Reading methods may run side by side; let one that changes something
 * end before the next begins. Every method throws `DvError`; what it says of a code is in
 * docs/errors.md. Close it, or declare it with `await using`.
 */
export class DvRepository extends SharingRepository {
  readonly #repo: Repository;

  /** @internal Use `openRepository` or `initRepository`. */
  constructor(repo: Repository) {
    super(repo);
    this.#repo = repo;
  }

  /** The directory that holds the working files and `.dv`. */
  get worktree(): string {
    return this.#repo.worktree;
  }

  /** Closes the store. Twice is fine. */
  close(): Promise<void> {
    return this.#repo.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#repo.close();
  }

  // Changing rows and files

  /** Stages working files, or what is in directories, for the next commit. */
  add(paths: string | readonly string[], options?: AddOptions): Promise<AddResult> {
    return add(this.#repo, listed(paths), options);
  }

  /**
   * Commits what is staged.
   * @throws DvError `nothing-to-commit` unless `skipEmpty` or `allowEmpty`, `no-author`
   */
  commit(options: CommitOptions): Promise<CommitResult> {
    return commit(this.#repo, options);
  }

  /** HEAD against the stage, the stage against the files, and files that are not tracked. */
  status(options?: StatusOptions): Promise<Status> {
    return status(this.#repo, options);
  }

  /** Takes tables out of the stage, and their files away. */
  remove(paths: string | readonly string[], options?: RemoveOptions) {
    return remove(this.#repo, listed(paths), options);
  }

  /** Renames a table or a directory. */
  rename(from: string, to: string): Promise<Renamed[]> {
    return rename(this.#repo, [[from, to]]);
  }

  /** Puts working files, or what is staged, back as they were. */
  restore(paths: string | readonly string[], options?: RestoreOptions): Promise<RestoreResult> {
    return restore(this.#repo, listed(paths), options);
  }

  /** Moves the current branch to another commit; `hard` takes the files along. */
  reset(revision = 'HEAD', mode: ResetMode = 'mixed'): Promise<ResetResult> {
    return reset(this.#repo, revision, mode);
  }

  // Looking at rows and their history

  /**
   * What differs: without `revisions` the stage and the files, with one it and the files,
   * with two one and the other. Iterate `tables`, and of each `changes()`, once.
   */
  diff(options?: DiffOptions): Promise<DiffResult> {
    return diff(this.#repo, options);
  }

  /** How many rows and cells differ in each table. Reads the whole difference. */
  async diffStat(options?: DiffOptions): Promise<TableStat[]> {
    const stats: TableStat[] = [];
    for await (const table of (await diff(this.#repo, options)).tables) {
      stats.push(await statTable(table));
    }
    return stats;
  }

  /** The difference as the text of a patch, in pieces: what `apply` takes. */
  async *patch(options?: DiffOptions): AsyncGenerator<string> {
    yield* writePatch((await diff(this.#repo, { ...options, complete: true })).tables);
  }

  /** Commits, newest first, as they are found. */
  log(options?: LogOptions): AsyncGenerator<LogEntry> {
    return log(this.#repo, options);
  }

  /** The commit that a revision such as `main~2` names. */
  resolve(revision: string): Promise<Hash> {
    return resolveCommit(this.#repo, revision);
  }

  /** The rows of `TABLE` (as staged) or `REV:TABLE` in the order of the key, in batches. */
  rows(table: string): AsyncGenerator<RowObject[]> {
    return readRows(this.#repo, table);
  }

  /** The hash of `TABLE` (as staged) or `REV:TABLE`: the same for the same rows. */
  async hash(table: string): Promise<Hash> {
    return (await hashOfTable(this.#repo, table)).hash;
  }

  /** The tables and plain files of a revision; without one, of what is staged. */
  list(revision?: string): Promise<ListedEntry[]> {
    return listTree(this.#repo, revision);
  }

  // Branches and tags

  /** The current branch; null on a detached HEAD. */
  currentBranch(): Promise<string | null> {
    return currentBranch(this.#repo);
  }

  branches(): Promise<BranchInfo[]> {
    return listBranches(this.#repo);
  }

  /** Makes a branch at a revision without going there. */
  createBranch(name: string, start = 'HEAD', { force = false } = {}) {
    return createBranch(this.#repo, name, start, force);
  }

  renameBranch(from: string, to: string, { force = false } = {}) {
    return renameBranch(this.#repo, from, to, force);
  }

  /** @throws DvError `not-merged` unless `force` */
  deleteBranch(name: string, { force = false } = {}) {
    return deleteBranch(this.#repo, name, force);
  }

  /**
   * Goes to a branch, or with `detach` to a commit, and makes the working files its own.
   * @throws DvError `unsaved-changes` when that would lose work
   */
  switch(target: string, options?: SwitchOptions): Promise<SwitchResult> {
    return switchTo(this.#repo, target, options);
  }

  tags(): Promise<TagInfo[]> {
    return listTags(this.#repo);
  }

  /** With a message, an annotated tag. */
  createTag(name: string, revision = 'HEAD', options?: CreateTagOptions): Promise<TagInfo> {
    return createTag(this.#repo, name, revision, options);
  }

  deleteTag(name: string): Promise<TagInfo> {
    return deleteTag(this.#repo, name);
  }

  /** What decides conflicts of `TABLE` (as staged) or `REV:TABLE`. */
  tableRules(table: string): Promise<TableRules> {
    return tableRules(this.#repo, table);
  }

  /** Sets rules, such as `population=max`, and stages the table. */
  setTableRules(table: string, assignments: readonly string[]): Promise<TableRules> {
    return setTableRules(this.#repo, table, assignments);
  }

  // Bringing data in and out

  /** Reads a file, or bytes as they come, into a table and stages it. */
  import(
    table: string,
    source: string | AsyncIterable<Uint8Array>,
    options?: ImportFileOptions,
  ): Promise<AddedTable> {
    if (typeof source === 'string') return importFile(this.#repo, table, source, options);
    const env = { ...this.#repo.env, stdin: () => source };
    return importFile({ ...this.#repo, env }, table, '-', options);
  }

  /** The bytes of `TABLE` (as staged) or `REV:TABLE`, as it was read or in a format. */
  export(
    table: string,
    options?: Pick<ExportOptions, 'format'>,
  ): Promise<AsyncIterable<Uint8Array>> {
    return exportBytes(this.#repo, table, options);
  }

  /** The same into a file, all or nothing. */
  exportFile(table: string, output: string, options?: Pick<ExportOptions, 'format'>) {
    return exportFile(this.#repo, table, { ...options, output });
  }

  /** Applies a patch, or a complete diff in NDJSON: all of it or nothing. */
  apply(
    patch: string | AsyncIterable<Uint8Array | string>,
    options?: ApplyOptions,
  ): Promise<{ readonly tables: readonly AppliedTable[] }> {
    return apply(this.#repo, typeof patch === 'string' ? inOnePiece(patch) : patch, options);
  }

  // Keeping the repository in order

  /** Settings of the user and of the repository. */
  config(): Config {
    return readConfig(this.#repo.dotDir, this.#repo.env.userConfig);
  }

  /** Sets a setting of the repository; null takes it away. */
  setConfig(key: string, value: string | null): void {
    const file = repositoryConfigFile(this.#repo.dotDir);
    if (value === null) unsetConfig(file, key);
    else setConfig(file, key, value);
  }

  /** Any object of the store, decoded. */
  object(text: string): Promise<ObjectView> {
    return catObject(this.#repo, text);
  }

  /** Problems as they are found; at its end the generator returns how much it checked. */
  fsck(): AsyncGenerator<FsckProblem, FsckSummary> {
    return fsck(this.#repo);
  }

  /** Removes what nothing reaches any more. */
  gc(options?: GcVerbOptions): Promise<GcVerbResult> {
    return gc(this.#repo, options);
  }

  /** Thins the old history of a branch to one commit a period. */
  squash(options: SquashOptions): Promise<SquashResult> {
    return squash(this.#repo, options);
  }

  /** What the store holds by kind of object, and what it takes. */
  stat(): Promise<StoreStat> {
    return storeStat(this.#repo);
  }
}

const listed = (paths: string | readonly string[]): readonly string[] =>
  typeof paths === 'string' ? [paths] : paths;

async function* inOnePiece(text: string): AsyncGenerator<string> {
  yield text;
}

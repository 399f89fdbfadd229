/**
 * dv as a library: the verbs of the command line as functions. See docs/library.md.
 *
 *   import { openRepository } from 'dv';
 *   await using repository = await openRepository('path/to/data');
 *   for await (const { commit } of repository.log()) console.log(commit.message);
 *
 * This file is an edge of dv, like src/cli: here the process, the clock and randomness come
 * in, unless the caller gives others.
 */
import { randomBytes } from 'node:crypto';
import { homedir, hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DvRepository } from './porcelain/bound-repository.ts';
import { type CloneOptions as CloneVerbOptions, clone as cloneIn } from './porcelain/clone.ts';
import type { Author } from './porcelain/config.ts';
import {
  type DiffFilesOptions as CompleteOptions,
  diffFiles as diffFilesIn,
  type FilesDiff,
} from './porcelain/diff-files.ts';
import type { Environment } from './porcelain/environment.ts';
import { fillerOf } from './porcelain/fill.ts';
import {
  type InitOptions as InitVerbOptions,
  initRepository as initIn,
  openRepository as openIn,
} from './porcelain/open-repository.ts';
import type { Repository } from './porcelain/repository.ts';

export interface OpenOptions {
  /** Who commits; default as on the command line: variables, then settings. */
  readonly author?: Author;
  /** Told of long work, often; costs nothing where it is not given. */
  readonly onProgress?: Environment['report'];
  /** In place of what the process would give: a clock, variables, where settings are. */
  readonly environment?: Partial<Environment>;
}

export interface InitOptions extends OpenOptions, InitVerbOptions {}

/**
 * Opens the repository that holds `directory` (default: where the process stands), and
 * finishes what a killed dv left half done.
 * @throws DvError `not-a-repository`, `newer-format`, `corrupt`, `locked`
 */
export async function openRepository(
  directory = process.cwd(),
  options: OpenOptions = {},
): Promise<DvRepository> {
  return bind(await openIn(resolve(directory), environmentOf(options)));
}

/**
 * Makes the repository of a directory, and the directory; opens it where there is one.
 * @throws DvError `already-exists` (a file of that name), `bad-name`, `read-only`
 */
export async function initRepository(
  directory: string,
  { branch, ...options }: InitOptions = {},
): Promise<DvRepository> {
  const opened = await initIn(resolve(directory), environmentOf(options), { branch });
  return bind(opened.repository);
}

/** What a clone left out is fetched when it is needed. */
function bind(repository: Repository): DvRepository {
  repository.fillWith(fillerOf(repository));
  return new DvRepository(repository);
}

export interface CloneOptions extends OpenOptions, Omit<CloneVerbOptions, 'directory'> {}

/**
 * Copies another repository into a directory and opens the copy. A clone that was cut is gone on
 * with. @throws DvError `already-exists`, `unknown-ref`, and what the way to the remote says
 */
export async function cloneRepository(
  url: string,
  directory: string,
  options: CloneOptions = {},
): Promise<DvRepository> {
  const env = environmentOf(options);
  await cloneIn(process.cwd(), url, env, { ...options, directory });
  return bind(await openIn(resolve(directory), env));
}

export interface DiffFilesOptions extends Omit<CompleteOptions, 'cwd' | 'temporaryDirectory'> {
  /** Where relative names start; default: where the process stands. */
  readonly cwd?: string;
  /** For files that are too large for memory; default: the system's. */
  readonly temporaryDirectory?: string;
}

/** Compares two files that are in no repository. Close what it gives. */
export function diffFiles(
  from: string,
  to: string,
  options: DiffFilesOptions = {},
): Promise<FilesDiff> {
  return diffFilesIn(environmentOf({}), from, to, {
    cwd: process.cwd(),
    temporaryDirectory: tmpdir(),
    ...options,
  });
}

const LOCK_TIMEOUT_MS = 10_000;

function environmentOf({ author, onProgress, environment }: OpenOptions): Environment {
  const variables = environment?.variables ?? process.env;
  return {
    now: Date.now,
    zone: () => -new Date().getTimezoneOffset(),
    randomId: () => randomBytes(8).toString('hex'),
    userConfig: findUserConfig(process.env),
    owner: `${process.pid} on ${hostname()}, a program that uses dv`,
    isAlive,
    lockTimeout: LOCK_TIMEOUT_MS,
    report: onProgress ?? (() => {}),
    ...environment,
    variables:
      author === undefined
        ? variables
        : { ...variables, DV_AUTHOR_NAME: author.name, DV_AUTHOR_EMAIL: author.email },
  };
}

/** `$XDG_CONFIG_HOME/dv/config`, or `~/.config/dv/config`, as for the command line. */
function findUserConfig(env: NodeJS.ProcessEnv): string | undefined {
  const home = env.HOME || homedir();
  const base = env.XDG_CONFIG_HOME || (home && join(home, '.config'));
  return base ? join(base, 'dv', 'config') : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export { DvError, type ErrorCode, type ErrorKind } from './errors.ts';
export type { Dialect, FormatName } from './formats/contract.ts';
export type { Hash } from './hash.ts';
export type { RowChange, SchemaChange, TableDiff } from './model/change.ts';
export type { DiffFilter } from './model/diff-filter.ts';
export type { FsckProblem, FsckSummary } from './model/fsck.ts';
export type { Commit, Person } from './model/objects.ts';
export type { RowVersion } from './model/row-history.ts';
export type { RowCounts } from './model/table-stat.ts';
export type { AddedTable, AddOptions, AddResult } from './porcelain/add.ts';
export type { AppliedTable, ApplyOptions } from './porcelain/apply.ts';
export type { DvRepository } from './porcelain/bound-repository.ts';
export type { BranchInfo } from './porcelain/branch.ts';
export type { CommitOptions, CommitResult, CommitSummary } from './porcelain/commit.ts';
export type { Author, Config, ConfigEntry } from './porcelain/config.ts';
export type { RowInConflict, WholeInConflict } from './porcelain/conflicts.ts';
export type {
  DialectDifference,
  DiffOptions,
  DiffResult,
  FileDifference,
} from './porcelain/diff.ts';
export type { FilesDiff } from './porcelain/diff-files.ts';
export type { TableStat } from './porcelain/diff-stat.ts';
export type { Environment, Progress } from './porcelain/environment.ts';
export type { ExportOptions } from './porcelain/export.ts';
export type { ImportedTable } from './porcelain/import/table-import.ts';
export type { ImportFileOptions } from './porcelain/import-file.ts';
export type { ListedEntry, ObjectView } from './porcelain/inspect.ts';
export type { LogEntry, LogOptions } from './porcelain/log.ts';
export type { GcVerbOptions, GcVerbResult, KindStat, StoreStat } from './porcelain/maintain.ts';
export type { MergeResult, MergeVerbOptions } from './porcelain/merge.ts';
export type { RowObject } from './porcelain/read-rows.ts';
export type { RemoveOptions, Renamed } from './porcelain/remove.ts';
export type { ResetMode, ResetResult } from './porcelain/reset.ts';
export type { ResolveResult } from './porcelain/resolve.ts';
export type { ResolveChoice, ResolveRequest } from './porcelain/resolve-choices.ts';
export type { RestoreOptions, RestoreResult } from './porcelain/restore.ts';
export type { BlamedRow, BlameOptions, HistoryOptions } from './porcelain/row-questions.ts';
export type { RowSelection } from './porcelain/select-rows.ts';
export type { SequenceResult } from './porcelain/sequencer.ts';
export type { SquashOptions, SquashResult } from './porcelain/squash.ts';
export type { Status, StatusEntry, StatusOptions } from './porcelain/status.ts';
export type { SwitchOptions, SwitchResult } from './porcelain/switch.ts';
export type { RuledColumn, TableRules } from './porcelain/table-rules.ts';
export type { CreateTagOptions, TagInfo } from './porcelain/tag.ts';
export type { UndoResult } from './porcelain/undo.ts';
export type {
  Cell,
  Column,
  ColumnRule,
  ColumnType,
  MergeRules,
  Row,
  RowRule,
  Schema,
} from './tuple/schema.ts';

/**
 * `dv diff --no-index`: two files that need be in no repository. Both are read into a store
 * of their own, in memory while they are small and else in a temporary directory, and
 * compared there like any two tables. What the first file says of its key and its types
 * holds for the second, as for two versions of one table.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DvError } from '../errors.ts';
import { FORMAT_NAMES, type FormatName } from '../formats/contract.ts';
import { formatOf } from '../formats/detect.ts';
import { loadFormat } from '../formats/registry.ts';
import { readTable } from '../model/object-reader.ts';
import { diffTables } from '../model/table-diff.ts';
import { NodeStore } from '../prolly/node-store.ts';
import type { Store } from '../store/contract.ts';
import { createMemoryStore } from '../store/memory.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { DiffResult } from './diff.ts';
import { checkFilter, type DiffFilter, filterDiff } from './diff-filter.ts';
import type { Environment } from './environment.ts';
import { FileSource } from './import/file-source.ts';
import type { ImportOptions } from './import/import-plan.ts';
import { type InputFile, openInput } from './import/input-file.ts';
import { type ImportedTable, type ImportInput, importTable } from './import/table-import.ts';

export interface DiffFilesOptions extends DiffFilter, ImportOptions {
  /** Where relative file names start. */
  readonly cwd: string;
  /** A directory for what does not fit into memory. */
  readonly temporaryDirectory: string;
  /** The format of both files, where their names do not tell. */
  readonly format?: FormatName;
}

/** Close it when its rows were read. */
export interface FilesDiff extends DiffResult {
  /** Idempotent; removes everything temporary. */
  close(): Promise<void>;
}

/** Files that have at most so many bytes together, as they lie there, stay in memory. */
const MOST_IN_MEMORY = 16 * 1024 * 1024;

/** `-` is standard input. @throws DvError for everything a file can have wrong */
export async function diffFiles(
  env: Environment,
  from: string,
  to: string,
  options: DiffFilesOptions,
): Promise<FilesDiff> {
  const scratch = openScratch(join(options.temporaryDirectory, `dv-${env.randomId()}`));
  let store: Store | undefined;
  const close = async () => {
    await store?.close();
    scratch.remove();
  };
  try {
    const place = { cwd: options.cwd, env, scratch: scratch.path };
    const before = await openInput(from, place);
    const after = await openInput(to, place);
    store = await openStore(env, [before, after], scratch.path);
    const nodes = new NodeStore(store);
    const input = {
      nodes,
      options,
      scratch: scratch.path,
      table: basename(to === '-' ? from : to),
      prior: undefined,
    };
    const first = await importFile(env, before, input);
    const { tree } = await readTable(store, first.table);
    const prior = { schema: first.schema, table: first.table, tree, dialect: undefined };
    const second = await importFile(env, after, { ...input, prior });
    const diff = await diffTables(nodes, input.table, first.table, second.table, options);
    checkFilter([diff], options);
    async function* tables() {
      if (first.table !== second.table) yield filterDiff(diff, options);
    }
    const dialects =
      first.table === second.table && !sameDialect(first, second)
        ? [{ table: input.table, from: { ...first.dialect }, to: { ...second.dialect } }]
        : [];
    return { tables: tables(), files: [], dialects, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Scratch {
  readonly path: () => string;
  readonly remove: () => void;
}

/** A directory that is made when first asked for. */
function openScratch(directory: string): Scratch {
  return {
    path: () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      return directory;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

async function openStore(
  env: Environment,
  files: readonly InputFile[],
  scratch: () => string,
): Promise<Store> {
  const bytes = files.map(({ path }) => statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  if (bytes.reduce((a, b) => a + b, 0) <= MOST_IN_MEMORY) return createMemoryStore();
  return openSqliteStore(join(scratch(), 'store.db'), { now: env.now, owner: env.owner });
}

async function importFile(
  env: Environment,
  { path, name, compression }: InputFile,
  input: Omit<ImportInput, 'source' | 'format' | 'options'> & { options: DiffFilesOptions },
): Promise<ImportedTable> {
  const format = input.options.format ?? formatOf(name).format;
  if (format === undefined) {
    throw new DvError('unknown-format', `cannot tell the format of '${name}'`, {
      hint: `--input-format ${FORMAT_NAMES.join('|')}`,
      data: { file: name },
    });
  }
  const report = (done: number, total: number) =>
    env.report({ label: name, done, total, unit: 'bytes' });
  const source = new FileSource(path, name, compression, report);
  return importTable({ ...input, source, format: await loadFormat(format) });
}

function sameDialect(a: ImportedTable, b: ImportedTable): boolean {
  return JSON.stringify(a.dialect) === JSON.stringify(b.dialect);
}

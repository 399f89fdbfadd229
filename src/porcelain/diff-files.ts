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
import { checkFilter, type DiffFilter, filterDiff } from '../model/diff-filter.ts';
import { readTable } from '../model/object-reader.ts';
import { diffTables } from '../model/table-diff.ts';
import { NodeStore } from '../prolly/node-store.ts';
import type { Store } from '../store/contract.ts';
import { createMemoryStore } from '../store/memory.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { DiffResult } from './diff.ts';
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
  /** Told the directory once it is there, for whoever may have to end the process early. */
  readonly onTemporary?: (directory: string) => void;
  /** What the difference calls the table; default: the name of the second file. */
  readonly name?: string;
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
  const directory = join(options.temporaryDirectory, `dv-${env.randomId()}`);
  const scratch = openScratch(directory, options.onTemporary);
  let store: Store | undefined;
  const close = async () => {
    await store?.close();
    scratch.remove();
  };
  try {
    const place = { cwd: options.cwd, env, scratch: scratch.path };
    const files: [InputFile, InputFile] = [
      await openInput(from, place),
      await openInput(to, place),
    ];
    store = await openStore(env, files, scratch.path);
    const nodes = new NodeStore(store);
    const table = basename(to === '-' ? from : to);
    const sides = await importBoth(env, files, { nodes, options, scratch: scratch.path, table });
    const result = await compareTables(nodes, options.name ?? table, sides, options);
    return { ...result, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Sides {
  readonly from: ImportedTable;
  readonly to: ImportedTable;
}

type SideInput = Omit<ImportInput, 'source' | 'format' | 'options' | 'prior'> & {
  readonly options: DiffFilesOptions;
};

async function importBoth(
  env: Environment,
  [before, after]: readonly [InputFile, InputFile],
  input: SideInput,
): Promise<Sides> {
  const from = await importFile(env, before, { ...input, prior: undefined });
  const { tree } = await readTable(input.nodes.objects, from.table);
  const prior = { schema: from.schema, table: from.table, tree, dialect: undefined };
  return { from, to: await importFile(env, after, { ...input, prior }) };
}

async function compareTables(
  nodes: NodeStore,
  table: string,
  { from, to }: Sides,
  options: DiffFilesOptions,
): Promise<DiffResult> {
  const diff = await diffTables(nodes, table, from.table, to.table, options);
  checkFilter([diff], options);
  const same = from.table === to.table;
  async function* tables() {
    if (!same) yield filterDiff(diff, options);
  }
  const dialects =
    same && !sameDialect(from, to)
      ? [{ table, from: { ...from.dialect }, to: { ...to.dialect } }]
      : [];
  return { tables: tables(), files: [], dialects };
}

interface Scratch {
  readonly path: () => string;
  readonly remove: () => void;
}

/** A directory that is made when first asked for. */
function openScratch(directory: string, onMade: (directory: string) => void = () => {}): Scratch {
  let made = false;
  return {
    path: () => {
      if (!made) {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        made = true;
        onMade(directory);
      }
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
  input: SideInput & Pick<ImportInput, 'prior'>,
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

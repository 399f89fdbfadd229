/**
 * `dv export`: a table at any revision as bytes in any format, to a file or a stream; and
 * `dv import`: bytes from a file or a stream into a table of any name.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DvError } from '../errors.ts';
import { compress, decompress } from '../formats/compressed.ts';
import { type Dialect, FORMAT_NAMES, type FormatName } from '../formats/contract.ts';
import { formatOf } from '../formats/detect.ts';
import { getRootEntry } from '../model/root.ts';
import { countChanges, type RowCounts } from '../model/table-stat.ts';
import { checkTableName } from '../model/names.ts';
import { hasWorkingFile, checkout } from './checkout.ts';
import type { ImportedTable } from './import/table-import.ts';
import { resolveEntry } from './inspect.ts';
import { type ReadEntryOptions, readEntry } from './read-entry.ts';
import { pathOf, type Repository } from './repository.ts';
import { stageEntries, workingSet } from './staging.ts';
import { entryBytes } from './table-file.ts';
import { replaceFile, writeNewFile } from './write-file.ts';

export interface ExportOptions {
  readonly format?: FormatName;
  /** Path of the file to write; undefined: the caller takes `bytes`. */
  readonly output?: string;
}

/** @throws DvError `unknown-format` */
export function parseFormat(text: string): FormatName {
  const found = FORMAT_NAMES.find((name) => name === text.toLowerCase());
  if (found !== undefined) return found;
  throw new DvError('unknown-format', `"${text}" is not a format`, {
    hint: `the formats are ${FORMAT_NAMES.join(', ')}`,
  });
}

/** The bytes of `REV:TABLE`, in its own dialect or in another format. */
export async function exportBytes(
  repo: Repository,
  text: string,
  options: ExportOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  const { table, entry } = await resolveEntry(repo, text);
  if (entry.kind === 'file') {
    if (options.format === undefined) return entryBytes(repo.nodes, entry);
    throw new DvError('bad-option', `'${table}' is a plain file, not a table`);
  }
  const wanted = options.format ?? (options.output ? formatOf(options.output).format : undefined);
  const remembered = entry.dialect as Partial<Dialect> | undefined;
  const same = wanted === undefined || wanted === remembered?.format;
  const dialect = same ? undefined : ({ format: wanted } as Dialect);
  return entryBytes(repo.nodes, entry, dialect);
}

/** Writes `REV:TABLE` to a file, all or nothing; compressed if the name says so. */
export async function exportFile(
  repo: Repository,
  text: string,
  options: ExportOptions & { readonly output: string },
): Promise<{ readonly file: string }> {
  const bytes = await exportBytes(repo, text, options);
  const { compression } = formatOf(options.output);
  const path = resolve(repo.cwd, options.output);
  const pieces = compression === undefined ? bytes : compress(bytes, compression);
  await replaceFile(path, pieces, `${path}.${repo.env.randomId()}.tmp`);
  return { file: options.output };
}

export interface ImportResult {
  readonly table: string;
  readonly imported: ImportedTable | undefined;
  readonly rows: RowCounts;
}

/**
 * Reads a file, or standard input for `-`, into the table `table` and stages it. A table
 * whose name has an extension gets its working file written.
 * @throws DvError for everything the input can have wrong
 */
export async function importFile(
  repo: Repository,
  table: string,
  source: string,
  options: ReadEntryOptions & { readonly dryRun?: boolean } = {},
): Promise<ImportResult> {
  checkTableName(table);
  const set = await workingSet(repo);
  const prior = await getRootEntry(repo.nodes, set.staged, table);
  const path = source === '-' ? await spool(repo, options) : resolve(repo.cwd, source);
  const detected = formatOf(source === '-' ? table : source);
  const format = options.format ?? detected.format;
  if (format === undefined) throw needsFormat(source);
  const label = source === '-' ? 'standard input' : source;
  const read = await readEntry(repo, table, path, prior, { ...options, format, label, compression: source === '-' ? undefined : detected.compression });
  const tableOf = (e: typeof prior) => (e?.kind === 'table' ? e.table : undefined);
  const rows = await countChanges(repo.nodes, tableOf(prior), tableOf(read.entry));
  if (options.dryRun) return { table, imported: read.imported, rows };
  await stageEntries(repo, new Map([[table, read.entry]]));
  if (hasWorkingFile(table, read.entry) && pathOf(repo, table) !== path) {
    await writeWorkingFile(repo, table, read.entry);
  }
  return { table, imported: read.imported, rows };
}

async function writeWorkingFile(
  repo: Repository,
  name: string,
  entry: Awaited<ReturnType<typeof readEntry>>['entry'],
): Promise<void> {
  if (!(await checkout(repo, [{ name, entry }], {}))) {
    throw new DvError('ref-moved', 'another command changed the repository meanwhile');
  }
}

function needsFormat(source: string): DvError {
  return new DvError('unknown-format', `cannot tell the format of '${source}'`, {
    hint: `--format ${FORMAT_NAMES.join('|')}`,
  });
}

/** Standard input as a file: an import may have to read it more than once. */
async function spool(repo: Repository, options: ReadEntryOptions): Promise<string> {
  const stdin = repo.env.stdin;
  if (stdin === undefined) throw new DvError('bad-option', 'there is no standard input to read');
  const path = join(repo.scratch(), `stdin-${repo.env.randomId()}`);
  if (existsSync(path)) throw new DvError('already-exists', `'${path}' exists`);
  const raw = stdin();
  const bytes = options.compression ? decompress(raw, options.compression, 'standard input') : raw;
  await writeNewFile(path, bytes);
  return path;
}

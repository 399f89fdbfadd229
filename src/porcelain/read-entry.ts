/**
 * A file on disk into an entry of a root: a table where its format is known, else a plain
 * file. The chunks are in the store afterwards; nothing refers to them yet but the
 * fingerprint that comes back.
 */
import { DvError } from '../errors.ts';
import type { Compression } from '../formats/compressed.ts';
import type { ByteSource, Dialect, FormatName } from '../formats/contract.ts';
import { formatOf } from '../formats/detect.ts';
import { loadFormat } from '../formats/registry.ts';
import { BlobBuilder } from '../model/blob.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import type { DialectRecord, RootEntry } from '../model/root.ts';
import type { Fingerprint } from './fingerprint.ts';
import { FileSource } from './import/file-source.ts';
import type { ImportOptions } from './import/import-plan.ts';
import { type ImportedTable, type ImportInput, importTable } from './import/table-import.ts';
import type { Repository } from './repository.ts';

export interface ReadEntryOptions extends ImportOptions {
  /** `file` keeps it as a plain file whatever its name says. */
  readonly format?: FormatName | 'file';
  /** Compression of the source, where its name does not tell. */
  readonly compression?: Compression;
  /** What to call the source in messages; default its table's name. */
  readonly label?: string;
}

export interface ReadEntry {
  readonly entry: RootEntry;
  readonly print: Fingerprint;
  /** What the import found; undefined for a plain file. */
  readonly imported: ImportedTable | undefined;
}

/**
 * Reads the file at `path` as the entry `name`.
 * `prior` is the entry it replaces: its schema and dialect are remembered.
 * @throws DvError for everything a file can have wrong; then nothing refers to it
 */
export async function readEntry(
  repo: Repository,
  name: string,
  path: string,
  prior: RootEntry | undefined,
  options: ReadEntryOptions,
): Promise<ReadEntry> {
  const detected = formatOf(name);
  const report = (done: number, total: number): void =>
    repo.env.report({ label: name, done, total, unit: 'bytes' });
  const label = options.label ?? name;
  const compression = options.label === undefined ? detected.compression : options.compression;
  const source = new FileSource(path, label, compression, report);
  const format = await tableFormat(source, options.format ?? detected.format, options, prior);
  const imported =
    format && (await importTable(await input(repo, name, source, format, prior, options)));
  const entry: RootEntry =
    imported === undefined
      ? await readBlobFile(repo, source)
      : { kind: 'table', table: imported.table, dialect: record(imported.dialect) };
  const { stamp, content } = await source.settle();
  const print = { ...stamp, content, recorded: repo.env.now(), entry };
  return { entry, print, imported };
}

const record = (dialect: Dialect): DialectRecord => ({ ...dialect });

async function input(
  repo: Repository,
  name: string,
  source: ByteSource,
  format: FormatName,
  prior: RootEntry | undefined,
  options: ReadEntryOptions,
): Promise<ImportInput> {
  return {
    nodes: repo.nodes,
    format: await loadFormat(format),
    source,
    table: name,
    prior: await readPrior(repo, prior),
    options,
    scratch: repo.scratch,
  };
}

async function readPrior(
  repo: Repository,
  prior: RootEntry | undefined,
): Promise<ImportInput['prior']> {
  if (prior?.kind !== 'table') return undefined;
  const { schema, tree } = await readTable(repo.store, prior.table);
  return {
    schema: await readSchema(repo.store, schema),
    dialect: prior.dialect as Partial<Dialect> | undefined,
    tree,
    table: prior.table,
  };
}

/**
 * The format to read a source in; undefined: a plain file. A `.json` file whose first
 * character is no `[` is a document, not a table, unless the user says otherwise.
 */
async function tableFormat(
  source: ByteSource,
  format: FormatName | 'file' | undefined,
  options: ReadEntryOptions,
  prior: RootEntry | undefined,
): Promise<FormatName | undefined> {
  if (format === undefined || format === 'file') return undefined;
  if (prior?.kind === 'file' && options.format === undefined) return undefined;
  if (format !== 'json' || options.format !== undefined) return format;
  for await (const bytes of source.stream()) {
    const first = Buffer.from(bytes)
      .toString('latin1')
      .replace(/^\xef\xbb\xbf/, '')
      .trimStart()[0];
    if (first === undefined) continue;
    return first === '[' ? format : undefined;
  }
  return format;
}

async function readBlobFile(repo: Repository, source: ByteSource): Promise<RootEntry> {
  // A compressed plain file is kept as it is: the source must not have decompressed it.
  const raw = source instanceof FileSource ? source.raw() : source.stream();
  const builder = new BlobBuilder((chunk) => repo.nodes.put(chunk));
  for await (const bytes of raw) {
    builder.write(bytes);
    if (repo.nodes.full) await repo.nodes.relieve();
  }
  const blob = builder.finish();
  await repo.nodes.flush();
  return { kind: 'file', blob, size: builder.size };
}

/** The message for a name that is in the way of another by case alone. */
export function collision(name: string, other: string): DvError {
  return new DvError('name-collision', `'${name}' and '${other}' differ only by case`, {
    hint: 'on many file systems they are one file; rename one of them',
    data: { names: [other, name] },
  });
}

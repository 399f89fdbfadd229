/**
 * `dv import`: a file of any name, or standard input, into a table of any name, staged. A
 * table that has a working file gets it written, in the form that it had.
 */
import { DvError } from '../errors.ts';
import { type Dialect, FORMAT_NAMES, type FormatName } from '../formats/contract.ts';
import { formatOf } from '../formats/detect.ts';
import { checkTableName } from '../model/names.ts';
import { type DialectRecord, getRootEntry, type RootEntry, sameEntry } from '../model/root.ts';
import { countChanges } from '../model/table-stat.ts';
import { stagedUpdate } from '../model/working-set.ts';
import { type AddedTable, schemaChanges } from './add.ts';
import { checkout, hasWorkingFile } from './checkout.ts';
import { checkFile, fingerprintUpdate, readFingerprint } from './fingerprint.ts';
import { openInput } from './import/input-file.ts';
import { type ReadEntryOptions, readEntry } from './read-entry.ts';
import { pathOf, type Repository, tableNameOf } from './repository.ts';
import { applyChanges, workingSet } from './staging.ts';

export interface ImportFileOptions extends Omit<ReadEntryOptions, 'label' | 'compression'> {
  /** Read and report, stage nothing. */
  readonly dryRun?: boolean;
  /** Write the working file even over changes that are not staged. */
  readonly force?: boolean;
}

/**
 * Reads `source` (`-` is standard input; gzip and zstd are told by the name, or of what can
 * be read only once by its first bytes) as the table `table`.
 * @throws DvError `unsaved-changes` when the working file would be lost, `unknown-format`,
 * `name-collision`, `ref-moved`, and everything a file can have wrong
 */
export async function importFile(
  repo: Repository,
  table: string,
  source: string,
  options: ImportFileOptions = {},
): Promise<AddedTable> {
  const name = nameOf(repo, table);
  const set = await workingSet(repo);
  const prior = await getRootEntry(repo.nodes, set.staged, name);
  const format = requireFormat(source, name, prior, options.format);
  const input = await openInput(source, repo);
  const { path, name: label, compression } = input;
  const given = { ...options, format, label, compression };
  const read = await readEntry(repo, name, path, asSource(prior, format), given);
  const entry = boundEntry(name, prior, read.entry);
  const tableOf = (e: RootEntry | undefined) => (e?.kind === 'table' ? e.table : undefined);
  const result: AddedTable = {
    table: name,
    kind: entry.kind,
    change: prior === undefined ? 'added' : sameEntry(prior, entry) ? 'unchanged' : 'modified',
    rows: await countChanges(repo.nodes, tableOf(prior), tableOf(entry)),
    schema: await schemaChanges(repo, tableOf(prior), tableOf(entry)),
    imported: read.imported,
  };
  if (options.dryRun) return result;
  const root = await applyChanges(repo, set.staged, new Map([[name, entry]]));
  const staged = stagedUpdate(set, root);
  const isItself = path === pathOf(repo, name);
  const items = hasWorkingFile(name, entry) && !isItself ? [{ name, entry }] : [];
  if (items.length > 0 && !options.force) await checkUnsaved(repo, name, prior);
  const state = isItself ? [staged, fingerprintUpdate(name, read.print)] : [staged];
  if (await checkout(repo, items, { state })) return result;
  throw new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'dv status, then try again',
  });
}

/** A name with an extension is a path from where the user stands; another is the table's. */
function nameOf(repo: Repository, table: string): string {
  if (hasWorkingFile(table, { kind: 'table' })) return tableNameOf(repo, table);
  return checkTableName(table);
}

/** In order: what the user says, what the names say, what the table was read from before. */
function requireFormat(
  source: string,
  table: string,
  prior: RootEntry | undefined,
  given: ReadEntryOptions['format'],
): FormatName | 'file' {
  const remembered = prior?.kind === 'table' ? (prior.dialect?.format as FormatName) : undefined;
  const format = given ?? formatOf(source).format ?? formatOf(table).format ?? remembered;
  if (format !== undefined) return format;
  const what = source === '-' ? 'standard input' : `'${source}'`;
  throw new DvError('unknown-format', `cannot tell the format of ${what}`, {
    hint: `--format ${FORMAT_NAMES.join('|')}`,
  });
}

/**
 * What an earlier version tells about reading another file: its schema; of its dialect only
 * what cannot be detected, and only in the same format.
 */
function asSource(
  prior: RootEntry | undefined,
  format: FormatName | 'file',
): RootEntry | undefined {
  if (prior?.kind !== 'table') return undefined;
  const remembered = (prior.dialect ?? {}) as Partial<Dialect>;
  if (remembered.format !== format) return { ...prior, dialect: undefined };
  const { header, encoding } = remembered;
  const dialect = Object.entries({ format, header, encoding }).filter(([, v]) => v !== undefined);
  return { ...prior, dialect: Object.fromEntries(dialect) as DialectRecord };
}

/** A working file keeps the form it has; a new one has the form that its name says. */
function boundEntry(name: string, prior: RootEntry | undefined, read: RootEntry): RootEntry {
  if (read.kind !== 'table' || !hasWorkingFile(name, read)) return read;
  if (prior?.kind === 'table' && prior.dialect !== undefined) {
    return { ...read, dialect: prior.dialect };
  }
  const { format } = formatOf(name);
  if (format === undefined || format === read.dialect?.format) return read;
  return { ...read, dialect: { format } };
}

/** @throws DvError `unsaved-changes` */
async function checkUnsaved(
  repo: Repository,
  name: string,
  prior: RootEntry | undefined,
): Promise<void> {
  const state = checkFile(
    pathOf(repo, name),
    await readFingerprint(repo.store, name),
    repo.env.now(),
  );
  if (state.kind === 'missing') return;
  if (state.kind === 'known' && prior !== undefined && sameEntry(state.print.entry, prior)) return;
  const why = prior === undefined ? 'is not tracked' : 'has changes that are not staged';
  throw new DvError('unsaved-changes', `'${name}' ${why}, and would be written over`, {
    hint: `dv add ${name} keeps them; --force writes over them`,
    data: { table: name },
  });
}

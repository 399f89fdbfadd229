/**
 * `dv export`: a table at any revision as bytes in any format, to a stream or a file.
 */
import { resolve } from 'node:path';
import { DvError } from '../errors.ts';
import { compress } from '../formats/compressed.ts';
import type { Dialect, FormatName } from '../formats/contract.ts';
import { formatOf } from '../formats/detect.ts';
import type { Environment } from './environment.ts';
import { exportVersions } from './export-versions.ts';
import { resolveEntry } from './inspect.ts';
import type { Repository } from './repository.ts';
import { entryBytes } from './table-file.ts';
import { writeOutput } from './write-file.ts';

export interface ExportOptions {
  /** Default: what the name of the output says, else the form the table was read in. */
  readonly format?: FormatName;
  /** Three more columns: the commit, time and author of each row's last change. */
  readonly withVersion?: boolean;
  /** Path of the file to write; undefined: the caller takes the bytes. */
  readonly output?: string;
  /** Told the file that is there until the output is whole. */
  readonly onTemporary?: (path: string) => void;
}

/**
 * The bytes of `REV:TABLE`, or of the staged `TABLE`. A plain file comes out as it is.
 * @throws DvError `unknown-table`, `bad-revision`, `bad-option` (a format for a plain file)
 */
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
  if (options.withVersion)
    return exportVersions(repo, text, wanted ?? (entry.dialect?.format as FormatName | undefined));
  const remembered = entry.dialect as Partial<Dialect> | undefined;
  const same = wanted === undefined || wanted === remembered?.format;
  return entryBytes(repo.nodes, entry, same ? undefined : { format: wanted });
}

/**
 * Writes `REV:TABLE` to a file, all or nothing; compressed if the name says so.
 * @throws DvError as `exportBytes`, and `disk-full`, `read-only`, `file-is-directory`
 */
export async function exportFile(
  repo: Repository,
  text: string,
  options: ExportOptions & { readonly output: string },
): Promise<{ readonly file: string }> {
  const { output } = options;
  const bytes = reportBytes(await exportBytes(repo, text, options), output, repo.env.report);
  const { compression } = formatOf(output);
  const pieces = compression === undefined ? bytes : compress(bytes, compression);
  const path = resolve(repo.cwd, output);
  await writeOutput(path, pieces, repo.env.randomId(), options.onTemporary);
  return { file: output };
}

/** The same pieces; `report` is told how many bytes have gone by. */
export async function* reportBytes(
  pieces: AsyncIterable<Uint8Array>,
  label: string,
  report: Environment['report'],
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const piece of pieces) {
    done += piece.length;
    report({ label, done, total: undefined, unit: 'bytes' });
    yield piece;
  }
}

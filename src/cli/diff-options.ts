/**
 * The options of looking at a difference: which rows count, what is shown of them, and in
 * which form. Declared once for every command that shows one.
 */
import type { Command } from 'commander';
import { DvError } from '../errors.ts';
import type { DiffFilter } from '../model/diff-filter.ts';
import type { Context } from './context.ts';
import { collectNames } from './import-options.ts';
import { LAYOUTS, type Layout } from './render/diff/layout.ts';

export const DIFF_FORMATS = ['text', 'ndjson', 'csv', 'sql', 'html', 'patch'] as const;
export type DiffFormat = (typeof DIFF_FORMATS)[number];

/** The values that commander gives. */
export interface DiffFlags {
  readonly stat?: boolean;
  readonly summary?: boolean;
  readonly schema?: boolean;
  readonly nameOnly?: boolean;
  readonly columns?: readonly string[];
  readonly ignoreColumns?: readonly string[];
  readonly where?: string;
  readonly tolerance?: number;
  readonly complete?: boolean;
  readonly limit?: number;
  readonly format?: DiffFormat;
  readonly layout?: Layout | 'auto';
  readonly full?: boolean;
}

/** What is shown of a difference. */
export type DiffLevel = 'rows' | 'stat' | 'summary' | 'schema' | 'names';

export interface DiffView {
  readonly level: DiffLevel;
  /** Of level `rows`; of the others text or NDJSON, which is then JSON in the level's form. */
  readonly format: DiffFormat;
  readonly layout: Layout | 'auto';
  readonly full: boolean;
  readonly limit: number | undefined;
  readonly filter: DiffFilter;
}

export function declareDiffOptions(command: Command): void {
  command
    .optionsGroup('What to show:')
    .option('--stat', 'how many rows of each table differ')
    .option('--summary', 'how many rows differ in all')
    .option('--schema', 'only what changed about columns and keys')
    .option('--name-only', 'only the names of what differs')
    .option('--format <name>', DIFF_FORMATS.join(', '), parseFormat)
    .option('--layout <name>', `of text: auto, ${LAYOUTS.join(', ')}`, parseLayout)
    .option('--full', 'cut nothing to the width of the terminal')
    .option('--limit <rows>', 'show at most so many rows of each table', parseLimit)
    .optionsGroup('Which rows count:')
    .option('--columns <names>', 'only changes in these columns: a,b,...', collectNames)
    .option('--ignore-columns <names>', 'no changes in these columns: a,b,...', collectNames)
    .option('--where <condition>', 'an SQL condition; from_x and to_x are the sides of x')
    .option('--tolerance <number>', 'numbers that differ by no more are equal', parseTolerance)
    .option('--complete', 'rows too that differ only in columns which one side lacks');
}

const LEVELS: readonly (readonly [keyof DiffFlags, string, DiffLevel])[] = [
  ['stat', '--stat', 'stat'],
  ['summary', '--summary', 'summary'],
  ['schema', '--schema', 'schema'],
  ['nameOnly', '--name-only', 'names'],
];

/**
 * `file` is the name of the file to write, which may tell the format.
 * @throws DvError `bad-option` for options that exclude each other
 */
export function readDiffView(
  flags: DiffFlags,
  { json }: Pick<Context, 'json'>,
  file?: string,
): DiffView {
  const asked = LEVELS.filter(([flag]) => flags[flag] === true).map(([, name]) => name);
  if (flags.format !== undefined) asked.push(`--format ${flags.format}`);
  const jsonForm = flags.format === 'ndjson' && json;
  if (asked.length > 1 && !jsonForm) throw exclude(asked[0], asked[1]);
  if (json && flags.format !== undefined && flags.format !== 'ndjson' && file === undefined) {
    throw exclude('--json', `--format ${flags.format}`);
  }
  const level = LEVELS.find(([flag]) => flags[flag] === true)?.[2] ?? 'rows';
  const named = file === undefined || level !== 'rows' ? undefined : formatOfName(file);
  const { where, columns, ignoreColumns, tolerance } = flags;
  const format = flags.format ?? named ?? (json ? 'ndjson' : 'text');
  const lossless = format === 'patch' || format === 'sql';
  return {
    level,
    format,
    layout: flags.layout ?? 'auto',
    full: flags.full ?? false,
    limit: flags.limit,
    // A patch or SQL must lead from one side to the other exactly.
    filter: {
      where,
      columns,
      ignoreColumns,
      tolerance,
      complete: flags.complete ?? lossless,
    },
  };
}

function exclude(a: string, b: string): DvError {
  return new DvError('bad-option', `'${a}' and '${b}' exclude each other`);
}

const EXTENSIONS: Readonly<Record<string, DiffFormat>> = {
  csv: 'csv',
  diff: 'patch',
  htm: 'html',
  html: 'html',
  jsonl: 'ndjson',
  ndjson: 'ndjson',
  patch: 'patch',
  sql: 'sql',
};

function formatOfName(file: string): DiffFormat | undefined {
  const extension = /\.([a-z]+)(?:\.(?:gz|zst))?$/i.exec(file)?.[1].toLowerCase() ?? '';
  return Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension] : undefined;
}

function parseFormat(text: string): DiffFormat {
  const found = DIFF_FORMATS.find((name) => name === text.toLowerCase());
  if (found !== undefined) return found;
  throw new DvError('unknown-format', `"${text}" is not a format of a diff`, {
    hint: `the formats are ${DIFF_FORMATS.join(', ')}`,
  });
}

function parseLayout(text: string): Layout | 'auto' {
  const found = LAYOUTS.find((name) => name === text);
  if (found !== undefined || text === 'auto') return found ?? 'auto';
  throw new DvError('bad-option', `"${text}" is not a layout`, {
    hint: `the layouts are auto, ${LAYOUTS.join(', ')}`,
  });
}

function parseLimit(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new DvError('bad-option', `'--limit ${text}' is not a number of rows`);
}

function parseTolerance(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new DvError('bad-option', `'--tolerance ${text}' is not a number of 0 or more`);
}

/**
 * The options that say how to read a file as a table: of every command that reads one, so
 * that `add`, `import` and the others take the same words.
 */
import type { Command } from 'commander';
import { DvError } from '../errors.ts';
import { type Dialect, FORMAT_NAMES, type FormatName } from '../formats/contract.ts';
import type { ReadEntryOptions } from '../porcelain/read-entry.ts';
import { COLUMN_TYPES, type ColumnType } from '../tuple/schema.ts';

/** The values that commander gives. */
export interface ImportFlags {
  readonly key?: readonly string[];
  readonly type?: ReadonlyMap<string, ColumnType>;
  readonly format?: FormatName | 'file';
  readonly delimiter?: string;
  /** false: `--no-header`. */
  readonly header?: boolean;
  readonly encoding?: 'utf-8' | 'latin1';
}

/** Adds `--key` and `--type`. */
export function declareKeyOptions(command: Command): void {
  command
    .option('--key <columns>', "the primary key: a,b,... ('' for none)", collectNames)
    .option(
      '--type <column=type>',
      `the type of a column: ${COLUMN_TYPES.join(', ')}`,
      collectType,
    );
}

/** Adds all of them. */
export function declareImportOptions(command: Command): void {
  declareKeyOptions(command);
  command
    .option('--format <name>', `${FORMAT_NAMES.join(', ')}, or file: keep it as it is`, parseFormat)
    .option(
      '--delimiter <character>',
      'between the cells of a CSV file; tab is one',
      parseDelimiter,
    )
    .option('--no-header', 'the first line is a row: columns are named c1, c2, ...')
    .option('--encoding <name>', 'utf-8 or latin1', parseEncoding);
}

/** What is undefined was not asked for, and so is remembered or detected. */
export function readImportOptions(flags: ImportFlags): ReadEntryOptions {
  const dialect: Partial<Dialect> = {
    ...(flags.delimiter === undefined ? {} : { delimiter: flags.delimiter }),
    ...(flags.header === false ? { header: false } : {}),
    ...(flags.encoding === undefined ? {} : { encoding: flags.encoding }),
  };
  return {
    format: flags.format,
    key: flags.key,
    types: flags.type,
    dialect: Object.keys(dialect).length === 0 ? undefined : dialect,
  };
}

/** `a,b` and `--key a --key b` alike; a name with a comma stands in quotes, as in CSV. */
export function collectNames(text: string, before: readonly string[] = []): string[] {
  const names = [...text.matchAll(/"((?:[^"]|"")*)"|[^,]+/g)];
  return [...before, ...names.map(([word, quoted]) => quoted?.replaceAll('""', '"') ?? word)];
}

/** `--type zip=text --type area=decimal` and `--type zip=text,area=decimal` alike. */
function collectType(
  text: string,
  before: ReadonlyMap<string, ColumnType> = new Map(),
): Map<string, ColumnType> {
  const types = new Map(before);
  // A comma in the name of a column has no =type in front of it.
  for (const part of text.split(/(?<==[a-z]+),/)) {
    const equals = part.lastIndexOf('=');
    const type = COLUMN_TYPES.find((known) => known === part.slice(equals + 1));
    if (equals < 1 || type === undefined) {
      throw new DvError('bad-option', `'${part}' gives no column a type`, {
        hint: `--type zip=text; the types are ${COLUMN_TYPES.join(', ')}`,
      });
    }
    types.set(part.slice(0, equals), type);
  }
  return types;
}

function parseFormat(text: string): FormatName | 'file' {
  const word = text.toLowerCase();
  if (word === 'file') return word;
  return parseTableFormat(text);
}

/** @throws DvError `unknown-format` */
export function parseTableFormat(text: string): FormatName {
  const found = FORMAT_NAMES.find((name) => name === text.toLowerCase());
  if (found !== undefined) return found;
  throw new DvError('unknown-format', `"${text}" is not a format`, {
    hint: `the formats are ${FORMAT_NAMES.join(', ')}`,
  });
}

function parseDelimiter(text: string): string {
  return text === 'tab' || text === '\\t' ? '\t' : text;
}

function parseEncoding(text: string): 'utf-8' | 'latin1' {
  const word = text
    .toLowerCase()
    .replace(/^utf8$/, 'utf-8')
    .replace(/^iso-8859-1$/, 'latin1');
  if (word === 'utf-8' || word === 'latin1') return word;
  throw new DvError('bad-option', `"${text}" is not an encoding dv reads`, {
    hint: '--encoding utf-8 or --encoding latin1',
  });
}

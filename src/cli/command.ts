/**
 * What a command is. Its file in `commands/` exports a module; the table in `registry.ts`
 * names it. It declares its arguments and options to commander once: parsing, `--help`,
 * shell completion and docs/cli.md all come from that declaration.
 */
import type { Command } from 'commander';
import type { Context } from './context.ts';

/** A parsed command line. */
export interface Invocation<Options extends object = object> {
  /** Arguments that are no options, in order, with those behind `--` at the end. */
  readonly operands: readonly string[];
  /** How many of the operands came before `--`; undefined without one. */
  readonly beforeDashes: number | undefined;
  readonly options: Options;
}

export interface CommandModule<Options extends object = object> {
  /** Adds description, arguments and options. The name, summary and global flags are there. */
  declare(command: Command): void;
  /** Lines that work, each with what it does: `['dv config list', 'show every setting']`. */
  readonly examples?: readonly (readonly [line: string, effect: string])[];
  /** Returns the exit status where it is not 0; throws DvError for what a person can cause. */
  run(context: Context, invocation: Invocation<Options>): Promise<number | undefined>;
}

/** Headings of the general help, in its order. */
export const COMMAND_GROUPS = {
  start: 'Start a repository',
  work: 'Change rows and files',
  history: 'Look at rows and their history',
  branch: 'Branch and merge',
  share: 'Work with other repositories',
  exchange: 'Bring data in and out',
  upkeep: 'Keep a repository in order',
  setup: 'Set up dv and get help',
} as const;

export type CommandGroup = keyof typeof COMMAND_GROUPS;

export interface CommandEntry {
  /** One line for the general help. */
  readonly summary: string;
  readonly group: CommandGroup;
  /** Loads the module: when the command is invoked, and for help and completion. */
  load(): Promise<CommandModule>;
}

/** Commands by name; a name of two words is one of a family, such as `remote add`. */
export type CommandTable = Readonly<Record<string, CommandEntry>>;

/** Full names of the commands of a family, in order; empty when `word` is no family. */
export function familyOf(table: CommandTable, word: string): string[] {
  return Object.keys(table)
    .filter((name) => name.startsWith(`${word} `))
    .sort();
}

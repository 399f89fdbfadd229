/**
 * What is declared about every command, read from the declarations themselves: for the
 * reference (docs/cli.md) and for shell completion.
 */
import type { Command, Option } from 'commander';
import type { CommandEntry, CommandGroup, CommandTable } from './command.ts';
import { buildCommand } from './parse-command.ts';

export interface OptionFacts {
  /** As in the help: `-m, --message <text>`. */
  readonly flags: string;
  readonly short: string | undefined;
  readonly long: string | undefined;
  readonly takesValue: boolean;
  readonly description: string;
  readonly choices: readonly string[];
}

export interface CommandFacts {
  readonly name: string;
  readonly group: CommandGroup;
  readonly summary: string;
  readonly description: string;
  /** `dv config [options] [key]` */
  readonly usage: string;
  readonly arguments: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionFacts[];
  readonly examples: readonly (readonly [line: string, effect: string])[];
}

/** Options that every command has; they are left out of a command's own. */
export const GLOBAL_LONG_FLAGS = ['--json', '--quiet', '--color', '--no-color', '--help'];

/** The facts of all commands, in name order. Loads every command module. */
export async function collectCommandFacts(table: CommandTable): Promise<CommandFacts[]> {
  const names = Object.keys(table).sort();
  return Promise.all(names.map((name) => readFacts(name, table[name])));
}

async function readFacts(name: string, entry: CommandEntry): Promise<CommandFacts> {
  const module = await entry.load();
  const command = buildCommand(name, entry, module);
  return {
    name,
    group: entry.group,
    summary: entry.summary,
    description: command.description(),
    usage: `dv ${name} ${command.usage()}`,
    arguments: argumentsOf(command),
    options: command.options
      .filter((option) => !option.hidden && !GLOBAL_LONG_FLAGS.includes(option.long ?? ''))
      .map(readOption),
    examples: module.examples ?? [],
  };
}

function argumentsOf(command: Command): { name: string; description: string }[] {
  return command.registeredArguments.map((argument) => ({
    name: argument.name(),
    description: argument.description,
  }));
}

function readOption(option: Option): OptionFacts {
  return {
    flags: option.flags,
    short: option.short,
    long: option.long,
    takesValue: option.required || option.optional,
    description: option.description,
    choices: option.argChoices ?? [],
  };
}

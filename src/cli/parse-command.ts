/**
 * One command's command line, parsed by commander from the module's own declaration. Only
 * the invoked command is ever built, so a start does not pay for the others. Commander's
 * complaints become DvErrors; its help becomes text.
 */
import { Command, CommanderError, Option } from 'commander';
import { DvError } from '../errors.ts';
import { type ColorChoice, parseColorChoice } from './color.ts';
import type { CommandEntry, CommandModule, Invocation } from './command.ts';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** false: `--no-color`. */
  readonly color?: ColorChoice | boolean;
}

export type ParsedCommand =
  | { readonly kind: 'run'; readonly invocation: Invocation; readonly globals: GlobalOptions }
  | { readonly kind: 'help'; readonly text: string };

/** The commander command of one entry, with the flags of every command behind its own. */
export function buildCommand(name: string, entry: CommandEntry, module: CommandModule): Command {
  const command = new Command(`dv ${name}`).description(entry.summary);
  module.declare(command);
  command.optionsGroup('Options of every command:');
  command.addOption(new Option('--json', 'write JSON for programs'));
  command.addOption(new Option('-q, --quiet', 'write results and errors only'));
  command.addOption(
    new Option('--color [when]', 'colour: always, never or auto')
      .preset('always')
      .argParser(parseColorChoice),
  );
  command.addOption(new Option('--no-color', 'no colour'));
  command.helpOption('-h, --help', 'show this help');
  if (module.examples !== undefined) {
    command.addHelpText('after', () => renderExamples(module.examples ?? []));
  }
  return command;
}

function renderExamples(examples: readonly (readonly [string, string])[]): string {
  const lines = examples.flatMap(([line, effect]) => [`  ${line}`, `      ${effect}`]);
  return ['', 'Examples:', ...lines].join('\n');
}

/** The help of one command, `width` columns wide. */
export function renderCommandHelp(command: Command, width: number): string {
  let text = '';
  command.configureOutput({
    writeOut: (more) => {
      text += more;
    },
    getOutHelpWidth: () => width,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}

/**
 * Parses `args`, the words behind the command's name.
 * @throws DvError `bad-option` for what the declaration does not allow.
 */
export function parseCommand(
  name: string,
  command: Command,
  args: readonly string[],
  width: number,
): ParsedCommand {
  const dashes = args.indexOf('--');
  const behindDashes = dashes < 0 ? 0 : args.length - dashes - 1;
  let parsed: ParsedCommand | undefined;
  command.exitOverride();
  command.configureOutput({ writeOut() {}, writeErr() {} });
  command.action(() => {
    const { json, quiet, color, ...options } = command.opts();
    const operands = command.args;
    const beforeDashes = dashes < 0 ? undefined : operands.length - behindDashes;
    parsed = {
      kind: 'run',
      invocation: { operands, beforeDashes, options },
      globals: { json, quiet, color },
    };
  });
  try {
    command.parse(spellOut(args, command.options), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code !== 'commander.helpDisplayed') throw complaint(name, error);
    return { kind: 'help', text: renderCommandHelp(command, width) };
  }
  return parsed as ParsedCommand;
}

/**
 * As in git, a value that may be left out stands behind `=`: a bare `--color` or
 * `--force-with-lease` must not take the word behind it for its value.
 */
function spellOut(args: readonly string[], options: readonly Option[]): string[] {
  const dashes = args.indexOf('--');
  return args.map((token, i) => {
    if (dashes >= 0 && i >= dashes) return token;
    const option = options.find(({ optional, long }) => optional && long === token);
    const { presetArg } = option ?? {};
    return typeof presetArg === 'string' ? `${token}=${presetArg}` : token;
  });
}

/** Commander's `error: unknown option '--foo'\n(Did you mean --force?)`, in dv's words. */
function complaint(name: string, error: CommanderError): DvError {
  const [sentence, suggestion] = error.message.replace(/^error: /, '').split('\n(');
  const help = `dv help ${name}`;
  return new DvError('bad-option', sentence.replace(/\.$/, ''), {
    hint:
      suggestion === undefined
        ? help
        : `${suggestion.replace('Did', 'did').replace(/\)$/, '')} See ${help}`,
  });
}

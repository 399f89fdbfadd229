/**
 * The flags that every command has. `-C` stands before the command, as in git (behind it, a
 * command may mean something else by it); the others may stand before or behind.
 */
import { DvError } from '../errors.ts';
import { type ColorChoice, parseColorChoice } from './color.ts';

export interface GlobalFlags {
  /** Each relative to the one before. */
  readonly directories: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: ColorChoice;
}

export const NO_FLAGS: GlobalFlags = { directories: [], json: false, quiet: false, color: 'auto' };

/** A command line up to its command. */
export interface LeadingFlags {
  readonly flags: GlobalFlags;
  readonly asks: 'help' | 'version' | undefined;
  /** The command and what follows it. */
  readonly rest: readonly string[];
}

/** @throws DvError `bad-option` */
export function parseLeadingFlags(argv: readonly string[]): LeadingFlags {
  const directories: string[] = [];
  let flags = NO_FLAGS;
  let asks: LeadingFlags['asks'];
  let at = 0;
  for (; at < argv.length && argv[at].startsWith('-'); at++) {
    const token = argv[at];
    if (token === '-C') directories.push(requireDirectory(argv[++at]));
    else if (token === '--json') flags = { ...flags, json: true };
    else if (token === '-q' || token === '--quiet') flags = { ...flags, quiet: true };
    else if (token === '--no-color') flags = { ...flags, color: 'never' };
    else if (token === '--color') flags = { ...flags, color: 'always' };
    else if (token.startsWith('--color='))
      flags = { ...flags, color: parseColorChoice(token.slice(8)) };
    else if (token === '-h' || token === '--help') asks = 'help';
    else if (token === '-v' || token === '--version') asks ??= 'version';
    else throw unknownFlag(token);
  }
  return { flags: { ...flags, directories }, asks, rest: argv.slice(at) };
}

function requireDirectory(value: string | undefined): string {
  if (value !== undefined) return value;
  throw new DvError('bad-option', "'-C' needs a directory", { hint: 'dv -C DIR COMMAND' });
}

function unknownFlag(token: string): DvError {
  return new DvError('bad-option', `unknown option '${token}' before the command`, {
    hint: 'options of a command go behind it; dv --help shows what may go before',
  });
}

/** Whether a command line asks for JSON, found before it is parsed: for errors in parsing. */
export function asksForJson(argv: readonly string[]): boolean {
  const dashes = argv.indexOf('--');
  return (dashes < 0 ? argv : argv.slice(0, dashes)).includes('--json');
}

/** The leading flags with what was given behind the command. */
export function mergeGlobalFlags(
  leading: GlobalFlags,
  options: { json?: boolean; quiet?: boolean; color?: ColorChoice | boolean },
): GlobalFlags {
  const { color } = options;
  return {
    directories: leading.directories,
    json: leading.json || options.json === true,
    quiet: leading.quiet || options.quiet === true,
    color: color === false ? 'never' : typeof color === 'string' ? color : leading.color,
  };
}

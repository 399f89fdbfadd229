/** From the first words of a command line to a command, or to a helpful refusal. */
import { DvError } from '../errors.ts';
import { type CommandEntry, type CommandTable, familyOf } from './command.ts';
import { nearest } from './suggest.ts';

/** What hands that know git type, and what dv has for it. */
const GIT_WORDS: Readonly<Record<string, string>> = {
  checkout: 'dv switch changes the branch, dv restore puts files back',
  stage: 'dv add',
};

export type FoundCommand =
  | {
      readonly kind: 'command';
      readonly name: string;
      readonly entry: CommandEntry;
      readonly args: readonly string[];
    }
  | { readonly kind: 'family'; readonly word: string };

/** @throws DvError `unknown-command` */
export function resolveCommand(table: CommandTable, words: readonly string[]): FoundCommand {
  const [first, second] = words;
  if (second !== undefined) {
    const name = `${first} ${second}`;
    if (Object.hasOwn(table, name)) {
      return { kind: 'command', name, entry: table[name], args: words.slice(2) };
    }
  }
  if (Object.hasOwn(table, first)) {
    return { kind: 'command', name: first, entry: table[first], args: words.slice(1) };
  }
  const family = familyOf(table, first);
  if (family.length === 0) throw unknownCommand(first, Object.keys(table).sort());
  if (second === undefined || second.startsWith('-')) return { kind: 'family', word: first };
  throw unknownCommand(`${first} ${second}`, family);
}

function unknownCommand(typed: string, names: readonly string[]): DvError {
  const near = nearest(typed, names);
  const known = Object.hasOwn(GIT_WORDS, typed) ? GIT_WORDS[typed] : 'dv help';
  const hint = near === undefined ? known : `did you mean dv ${near}?`;
  return new DvError('unknown-command', `unknown command '${typed}'`, { hint });
}

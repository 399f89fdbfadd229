/** The general help: every command in one line, by what a person wants to do. */
import { COMMAND_GROUPS, type CommandGroup, type CommandTable, familyOf } from './command.ts';

const HEAD = `dv is Git for tables: commit, branch, diff and merge rows.

Usage: dv [-C DIR] [--json] [--quiet] [--color=WHEN] COMMAND [ARGUMENTS]
`;

const FOOT = `
dv help COMMAND shows how a command works.
`;

export function renderGeneralHelp(table: CommandTable): string {
  const names = Object.keys(table).sort();
  const column = columnFor(names);
  let text = HEAD;
  for (const group of Object.keys(COMMAND_GROUPS) as CommandGroup[]) {
    const members = names.filter((name) => table[name].group === group);
    if (members.length === 0) continue;
    text += `\n${COMMAND_GROUPS[group]}\n${renderList(table, members, column)}`;
  }
  return text + FOOT;
}

/** The commands of a family such as `remote`. */
export function renderFamilyHelp(table: CommandTable, word: string): string {
  const names = familyOf(table, word);
  return `Usage: dv ${word} COMMAND\n\n${renderList(table, names, columnFor(names))}${FOOT}`;
}

function columnFor(names: readonly string[]): number {
  return Math.max(...names.map((name) => name.length)) + 3;
}

function renderList(table: CommandTable, names: readonly string[], column: number): string {
  return names.map((name) => `  ${name.padEnd(column)}${table[name].summary}\n`).join('');
}

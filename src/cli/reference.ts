/**
 * docs/cli.md, made from the declarations of the commands. `npm run docs` writes it, and a
 * test holds the file in the repository to it.
 */
import { EXIT_STATUS } from '../errors.ts';
import { COMMAND_GROUPS, type CommandGroup, type CommandTable } from './command.ts';
import { type CommandFacts, collectCommandFacts, type OptionFacts } from './command-facts.ts';

const HEAD = `# The command line

Generated from the commands themselves by \`npm run docs\`; do not edit.

\`\`\`
dv [-C DIR] [--json] [--quiet] [--color=WHEN] COMMAND [ARGUMENTS]
\`\`\`

## Options of every command

| option | |
|---|---|
| \`-C DIR\` | run as if started in DIR; goes before the command, and each counts from the one before |
| \`--json\` | write JSON for programs: one value a line on standard output |
| \`-q\`, \`--quiet\` | write results and errors only: no notes, no progress |
| \`--color[=WHEN]\`, \`--no-color\` | colour \`always\`, \`never\` or \`auto\`: on a terminal, unless \`NO_COLOR\` is set; \`FORCE_COLOR\` colours a pipe too |
| \`-h\`, \`--help\` | how the command works |
| \`--\` | what follows is no option |

## Exit status

| status | |
|---|---|
| 0 | done |
| 1 | done, and the answer is no |
`;

const STATUS_MEANINGS: Readonly<Record<keyof typeof EXIT_STATUS, string>> = {
  usage: 'the command line is wrong',
  refused: 'the repository or the data says no; nothing changed',
  remote: 'network, authentication or permission',
  corrupt: 'stored bytes are wrong, or from a newer dv',
  internal: 'a defect of dv; the stack is shown',
};

const AFTER_STATUS = `| 129, 130, 143 | ended by a signal (128 and its number) |

A failure is an \`error:\` line on standard error, and mostly a \`hint:\` with what to type next.
With \`--json\` it is instead the last line of standard output, so that a program reads one
stream: \`{"error":{"code":...,"message":...,"hint":...,"data":{...}}}\`. Codes do not change
between versions. When the reader of the output goes away (\`dv ... | head\`), dv ends quietly
with status 0.

## Environment

| variable | |
|---|---|
| \`DV_AUTHOR_NAME\`, \`DV_AUTHOR_EMAIL\` | who commits, before the settings \`user.name\` and \`user.email\` |
| \`XDG_CONFIG_HOME\` | the settings of the user are in \`$XDG_CONFIG_HOME/dv/config\`, else in \`~/.config/dv/config\` |
| \`NO_COLOR\`, \`FORCE_COLOR\` | see \`--color\` |
`;

/** The whole page. */
export async function renderReference(table: CommandTable): Promise<string> {
  const commands = await collectCommandFacts(table);
  const statuses = Object.entries(EXIT_STATUS).map(
    ([kind, status]) => `| ${status} | ${STATUS_MEANINGS[kind as keyof typeof EXIT_STATUS]} |\n`,
  );
  const groups = (Object.keys(COMMAND_GROUPS) as CommandGroup[])
    .map((group) => renderGroup(group, commands))
    .filter((text) => text !== '');
  return [HEAD, ...statuses, AFTER_STATUS, ...groups].join('');
}

function renderGroup(group: CommandGroup, commands: readonly CommandFacts[]): string {
  const members = commands.filter((command) => command.group === group);
  if (members.length === 0) return '';
  return `\n## ${COMMAND_GROUPS[group]}\n${members.map(renderCommand).join('')}`;
}

function renderCommand(command: CommandFacts): string {
  const parts = [`### dv ${command.name}`, command.summary];
  if (command.description !== command.summary) parts.push(command.description);
  parts.push(`\`\`\`\n${command.usage}\n\`\`\``);
  const rows = [
    ...command.arguments.map(({ name, description }) => [name, description]),
    ...command.options.map((option) => [option.flags, describeOption(option)]),
  ].map(([name, text]) => `| \`${name}\` | ${escapeCell(text)} |`);
  if (rows.length > 0) parts.push(['| argument or option | |', '|---|---|', ...rows].join('\n'));
  if (command.examples.length > 0) {
    parts.push(command.examples.map(([line, effect]) => `- \`${line}\`: ${effect}`).join('\n'));
  }
  return `\n${parts.join('\n\n')}\n`;
}

function describeOption({ description, choices }: OptionFacts): string {
  return choices.length === 0 ? description : `${description} (${choices.join(', ')})`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

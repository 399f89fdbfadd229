/** Every command of dv: its name, the line that the general help shows, where its module is. */
import type { CommandTable } from './command.ts';

export const COMMANDS: CommandTable = {
  completion: {
    summary: 'Print a script that completes dv commands in your shell',
    group: 'setup',
    load: async () => (await import('./commands/completion.ts')).completionCommand(COMMANDS),
  },
  config: {
    summary: 'Read and change settings',
    group: 'setup',
    load: async () => (await import('./commands/config.ts')).command,
  },
  help: {
    summary: 'Show what dv can do, or how a command works',
    group: 'setup',
    load: async () => (await import('./commands/help.ts')).helpCommand(COMMANDS),
  },
  version: {
    summary: 'Print the version of dv',
    group: 'setup',
    load: async () => (await import('./commands/version.ts')).command,
  },
};

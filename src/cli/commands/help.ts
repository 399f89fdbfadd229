/** `dv help [COMMAND]`: what `--help` shows, and with --json the list of commands. */
import type { CommandModule, CommandTable } from '../command.ts';
import { resolveCommand } from '../find-command.ts';
import { renderFamilyHelp, renderGeneralHelp } from '../help.ts';
import { buildCommand, renderCommandHelp } from '../parse-command.ts';

export function helpCommand(table: CommandTable): CommandModule {
  return {
    declare(command) {
      command.argument('[command...]', 'the command to explain; without one, all in one line each');
    },
    examples: [['dv help config', 'how dv config works']],
    async run({ out, json, width }, { operands }) {
      if (operands.length === 0) {
        if (json) out.json({ commands: listCommands(table) });
        else out.write(renderGeneralHelp(table));
        return 0;
      }
      const found = resolveCommand(table, operands);
      const text =
        found.kind === 'family'
          ? renderFamilyHelp(table, found.word)
          : renderCommandHelp(
              buildCommand(found.name, found.entry, await found.entry.load()),
              width,
            );
      if (json) out.json({ help: text });
      else out.write(text);
      return 0;
    },
  };
}

function listCommands(table: CommandTable): unknown[] {
  return Object.keys(table)
    .sort()
    .map((name) => ({ name, group: table[name].group, summary: table[name].summary }));
}

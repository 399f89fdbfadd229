/** `dv completion SHELL`: the script that completes dv in bash, zsh or fish. */
import { DvError } from '../../errors.ts';
import type { CommandModule, CommandTable } from '../command.ts';
import { collectCommandFacts } from '../command-facts.ts';
import { renderCompletion, SHELLS, type Shell } from '../completion.ts';

export function completionCommand(table: CommandTable): CommandModule {
  return {
    declare(command) {
      command.argument('<shell>', SHELLS.join(', '));
    },
    examples: [
      ['source <(dv completion bash)', 'in ~/.bashrc; for zsh likewise in ~/.zshrc'],
      ['dv completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
    async run({ out, json }, { operands: [name] }) {
      const shell = SHELLS.find((known) => known === name) satisfies Shell | undefined;
      if (shell === undefined) {
        throw new DvError('bad-option', `no completion for the shell '${name}'`, {
          hint: SHELLS.map((known) => `dv completion ${known}`).join(', '),
        });
      }
      const script = renderCompletion(shell, await collectCommandFacts(table));
      if (json) out.json({ shell, script });
      else out.write(script);
      return 0;
    },
  };
}

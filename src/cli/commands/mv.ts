/**
 * `dv mv SOURCE... DESTINATION`: another name for a table and its working file.
 * JSON: `{"moved":[{"from","to"}]}`.
 */
import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DvError } from '../../errors.ts';
import { rename } from '../../porcelain/remove.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .argument('<source>', 'a table or file')
      .argument('<destination...>', 'its new name, or a directory to move it, or several, into');
  },
  examples: [['dv mv cities.csv data/', 'move a table into a directory']],
  async run(context, { operands }) {
    const sources = operands.slice(0, -1);
    const destination = operands.at(-1) ?? '';
    const directory = destination.endsWith('/') || isDirectory(resolve(context.cwd, destination));
    if (sources.length > 1 && !directory) {
      throw new DvError('bad-option', `'${destination}' is no directory to move several into`);
    }
    const repo = await openRepositoryOf(context);
    const moves = sources.map((source): [from: string, to: string] => [
      source,
      directory ? join(destination, basename(source)) : destination,
    ]);
    const moved = await rename(repo, moves);
    if (context.json) context.out.json({ moved });
    else if (!context.quiet) {
      for (const { from, to } of moved) {
        context.out.line(context.shownLine(`renamed '${from}' to '${to}'`));
      }
    }
    return 0;
  },
};

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

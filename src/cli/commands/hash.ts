/** `dv hash [REV:]TABLE...`: each hash alone on a line. JSON: `{"table","hash"}`, one a line. */
import { hashOfTable } from '../../porcelain/inspect.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';

export const command: CommandModule<AsOfFlag> = {
  declare(command) {
    command
      .description(
        'Print the hash of a table as it is staged, or as it was in a revision. Two tables ' +
          'with the same columns and the same rows have the same hash, wherever and however ' +
          'they were made.',
      )
      .argument('<table...>', 'TABLE, or REV:TABLE');
    declareAsOf(command);
  },
  examples: [
    ['dv hash HEAD:cities.csv', 'the table of the last commit'],
    ['dv hash main:cities.csv draft:cities.csv', 'is it the same on both branches?'],
  ],
  async run(context, { operands, options }) {
    const repository = await openAsOf(context, options);
    for (const text of operands) {
      const { table, hash } = await hashOfTable(repository, text);
      if (context.json) context.out.json({ table, hash });
      else context.out.line(hash);
    }
    return 0;
  },
};

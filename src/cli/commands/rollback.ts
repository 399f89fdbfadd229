/**
 * `dv rollback TABLE --to REV`: puts a table, or some of its rows, back by a new commit.
 * JSON: `{"commit","tables":[{table,added,removed,modified}]}`; `commit` null: nothing done.
 */
import { DvError } from '../../errors.ts';
import { rollback } from '../../porcelain/rollback.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import { collect, type MessageFlags, readMessage } from '../message.ts';
import { shortHash } from '../render/commit-parts.ts';
import { renderSummary } from '../render/row-counts.ts';

interface Options extends MessageFlags, AsOfFlag {
  readonly to: string;
  readonly where?: string;
  readonly dryRun?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Put a table, or the rows that match a condition, back to what they were in another ' +
          'commit, by a new commit. Everything else stays as it is.',
      )
      .argument('<table>', 'the table')
      .requiredOption('--to <revision>', 'as it was there')
      .option('--where <condition>', 'only rows that match an SQL condition')
      .option('-m, --message <text>', 'the message of the commit', collect)
      .option('-n, --dry-run', 'say what would be put back, and change nothing');
    declareAsOf(command);
  },
  examples: [
    ['dv rollback cities.csv --to HEAD~3', 'the whole table'],
    ['dv rollback cities.csv --to v1 --where "country = \'CH\'"', 'some rows'],
  ],
  async run(context, { operands: [table, ...more], options }) {
    if (more.length > 0) throw new DvError('bad-option', 'dv rollback puts one table back');
    const message = await readMessage(context, options);
    const repo = await openAsOf(context, options);
    const { to, where, dryRun } = options;
    const result = await rollback(repo, table, { to, where, dryRun, message });
    if (context.json) {
      context.out.json({ commit: result.commit, tables: result.tables });
      return 0;
    }
    if (context.quiet) return 0;
    const isSame = result.tables.length + result.files.length === 0;
    if (isSame) context.out.line(`nothing differs from ${context.shownLine(to)}`);
    else if (result.commit === null) context.out.line('Would put back:');
    else context.out.line(`Put back by ${context.paint.hash(shortHash(result.commit))}`);
    context.out.write(renderSummary(result, context));
    return 0;
  },
};

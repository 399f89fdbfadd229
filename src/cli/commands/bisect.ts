/**
 * `dv bisect --where CONDITION TABLE [GOOD..BAD]`: finds by itself the commit that made a
 * condition true. JSON: `{"commit","candidates","tested"}`.
 */
import { DvError } from '../../errors.ts';
import { bisectWhere } from '../../porcelain/bisect.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import { showFound } from '../bisect-result.ts';
import type { CommandModule } from '../command.ts';

interface Options extends AsOfFlag {
  readonly where?: string;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Find the commit that made an SQL condition true of some row of a table: nothing is ' +
          'moved, and versions of the table that were seen before are not read again. To look ' +
          'for yourself, or by a program: dv bisect start, good, bad, skip, run, reset, log.',
      )
      .argument('[table]', 'the table')
      .argument('[range]', 'GOOD..BAD; default: all of HEAD')
      .option('--where <condition>', 'an SQL condition on its rows');
    declareAsOf(command);
  },
  examples: [
    ['dv bisect --where "price < 0" shop.csv', 'who made a price negative'],
    ['dv bisect start main v1', 'look for yourself: main is bad, v1 was good'],
    ['dv bisect run ./check.sh', 'let a program look'],
  ],
  async run(context, { operands: [table, range, ...more], options: { where, asOf } }) {
    if (where === undefined || table === undefined || more.length > 0) {
      throw new DvError('bad-option', "say what to look for: '--where', and a table", {
        hint: 'dv bisect start BAD GOOD looks for something by hand',
      });
    }
    const repo = await openAsOf(context, asOf === undefined ? {} : { asOf });
    const ends = /^(.*?)\.\.(.*)$/.exec(range ?? '');
    const bad = (ends === null ? range : ends[2]) || 'HEAD';
    const good = ends?.[1] ? [ends[1]] : [];
    const result = await bisectWhere(repo, table, where, { bad, good });
    if (context.json) context.out.json(result);
    else await showFound(context, repo, result.commit);
    return 0;
  },
};

/**
 * `dv merge-base A B`: the commit where two histories part. Exit status 1: there is none, or with
 * --is-ancestor: no. JSON: `{"bases":[...]}` or `{"ancestor": true}`.
 */
import { DvError } from '../../errors.ts';
import { descends, listMergeBases } from '../../porcelain/merge-base.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';

interface Options extends AsOfFlag {
  readonly all?: boolean;
  readonly isAncestor?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Print the best common ancestor of two commits.')
      .argument('<revision>', 'a commit')
      .argument('<other>', 'another')
      .option('-a, --all', 'all of them: criss-cross histories have several')
      .option(
        '--is-ancestor',
        'print nothing; exit with 0 if the first is an ancestor of the other',
      );
    declareAsOf(command);
  },
  examples: [['dv merge-base main fix', 'where fix began']],
  async run(context, { operands: [a, b, ...more], options }) {
    if (more.length > 0) throw new DvError('bad-option', 'dv merge-base takes two commits');
    const repo = await openAsOf(context, options);
    if (options.isAncestor) {
      const ancestor = await descends(repo, a, b);
      if (context.json) context.out.json({ ancestor });
      return ancestor ? 0 : 1;
    }
    const bases = await listMergeBases(repo, a, b);
    const shown = options.all ? bases : bases.slice(0, 1);
    if (context.json) context.out.json({ bases: shown });
    else for (const hash of shown) context.out.line(hash);
    return bases.length > 0 ? 0 : 1;
  },
};

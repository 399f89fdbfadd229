/**
 * `dv bundle verify FILE`. JSON as `bundle create`, with `chunks` and `missing`: prerequisites
 * that this repository lacks. Exit status 1: it cannot be opened here.
 */
import { verifyBundle } from '../../porcelain/bundle.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryIfAny } from '../open-repository.ts';
import { formatCount } from '../render/count.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description('Read a bundle to its end, and say whether it can be opened here.')
      .argument('<file>', 'the bundle');
  },
  async run(context, { operands: [file] }) {
    const repo = await openRepositoryIfAny(context);
    const found = await verifyBundle(repo ?? { cwd: context.cwd }, file);
    if (context.json) context.out.json(found);
    else {
      for (const { name, hash } of found.refs)
        context.out.line(context.shownLine(`${hash}\t${name}`));
      for (const hash of found.prerequisites) {
        const lacking = found.missing.includes(hash) ? ', which is not here' : '';
        context.out.line(`needs ${hash}${lacking}`);
      }
      const what = found.missing.length === 0 ? 'is sound' : 'cannot be opened here';
      context.note(`${file} ${what}: ${formatCount(found.chunks, 'chunks')}`);
    }
    return found.missing.length === 0 ? 0 : 1;
  },
};

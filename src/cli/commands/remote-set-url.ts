/** `dv remote set-url NAME URL`. JSON: `{"name","url","pushUrl"}`. */
import { remoteSetUrl } from '../../porcelain/remote.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';

interface Options {
  readonly push?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Give a remote another address.')
      .argument('<name>', 'the remote')
      .argument('<url>', 'its new address')
      .option('--push', 'only for pushing');
  },
  async run(context, { operands: [name, url], options }) {
    const repo = await openRepositoryOf(context);
    const remote = remoteSetUrl(repo, name, url, options);
    if (context.json) context.out.json(remote);
    return 0;
  },
};

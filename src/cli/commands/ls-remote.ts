/**
 * `dv ls-remote [REMOTE] [PATTERN...]`. JSON: `{"head","refs":[{name,hash,peeled}]}`, as the
 * remote has them.
 */
import { lsRemote } from '../../porcelain/ls-remote.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryIfAny } from '../open-repository.ts';

interface Options {
  readonly heads?: boolean;
  readonly tags?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('List the branches and tags of a remote, without fetching anything.')
      .argument('[remote]', 'a remote, a URL or a path; default as dv fetch')
      .argument('[pattern...]', 'only refs that match, such as "release/*"')
      .option('--heads', 'branches only')
      .option('--tags', 'tags only');
  },
  examples: [['dv ls-remote https://data.example.org/cities', 'what a server has']],
  async run(context, { operands: [remote, ...patterns], options }) {
    const repo = await openRepositoryIfAny(context);
    const place = repo ?? { worktree: context.cwd, env: context.environment };
    const { head, refs } = await lsRemote(place, remote, { ...options, patterns });
    if (context.json) context.out.json({ head, refs });
    else {
      const isWhole = patterns.length === 0 && !options.heads && !options.tags;
      const first = isWhole ? refs.find(({ name }) => name === head) : undefined;
      if (first !== undefined) context.out.line(`${first.hash}\tHEAD`);
      for (const { name, hash, peeled } of refs) {
        context.out.line(context.shownLine(`${hash}\t${name}`));
        if (peeled !== undefined) context.out.line(context.shownLine(`${peeled}\t${name}^{}`));
      }
    }
    return 0;
  },
};

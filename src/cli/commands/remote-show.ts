/**
 * `dv remote show NAME`: asks the remote. JSON: `{"name","url","pushUrl","software","head",
 * "branches":[{branch,state}],"upstreams":[{branch,merge}],"followers":[{id,principal,form,
 * patterns,since,sent,lag}]}`.
 */
import { shortRefName } from '../../model/names.ts';
import { remoteShow, type ShownBranch, type ShownRemote } from '../../porcelain/remote.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { displayWidth, pad } from '../render/width.ts';

export const command: CommandModule = {
  declare(command) {
    command
      .description('Ask a remote what it has, and compare with what is known of it here.')
      .argument('<name>', 'the remote');
  },
  examples: [['dv remote show origin', 'its branches, and which are new or gone']],
  async run(context, { operands: [name] }) {
    const repo = await openRepositoryOf(context);
    const shown = await remoteShow(repo, name);
    if (context.json) context.out.json(shown);
    else context.out.write(render(shown, context));
    return 0;
  },
};

const STATES: Readonly<Record<ShownBranch['state'], string>> = {
  tracked: 'tracked',
  new: 'new: the next fetch brings it',
  stale: 'gone: dv remote prune forgets it',
  'not-fetched': 'not fetched',
};

function render(remote: ShownRemote, { shownLine }: Context): string {
  const { name, url, pushUrl, software, head, branches, upstreams, followers } = remote;
  const width = Math.max(0, ...branches.map(({ branch }) => displayWidth(branch)));
  const lines = [
    `* remote ${name}`,
    `  Fetch URL: ${url}`,
    `  Push URL:  ${pushUrl}`,
    `  Runs:      ${software}`,
    `  HEAD:      ${head ?? '(on no branch)'}`,
    '  Branches:',
    ...branches.map(({ branch, state }) => `    ${pad(branch, width)}  ${STATES[state]}`),
  ];
  if (upstreams.length > 0) lines.push('  Branches here that follow one of them:');
  for (const { branch, merge } of upstreams)
    lines.push(`    ${branch} follows ${shortRefName(merge)}`);
  if (followers.length > 0) lines.push('  Followers of its feed:');
  for (const { principal, form, lag } of followers)
    lines.push(`    ${principal} (${form}): ${lag === 0 ? 'up to date' : `${lag} changes behind`}`);
  return lines.map((line) => `${shownLine(line)}\n`).join('');
}

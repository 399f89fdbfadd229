/**
 * `dv watch`: commits as they arrive, here or at a remote.
 *
 * JSON: a line an event, as src/live/contract.ts has it; `--format` has other forms.
 */
import { Option } from 'commander';
import { type FollowPosition, FROM_NOW } from '../../live/follow-position.ts';
import type { FeedState } from '../../live/http-source.ts';
import { type OpenedFeed, openFeed } from '../../porcelain/open-feed.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { resolveBeginning } from '../../porcelain/watch.ts';
import { findWorktree } from '../../porcelain/worktree.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { collect } from '../message.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { readCursorFile } from '../watch/cursor-file.ts';
import { openFollowing } from '../watch/following.ts';
import { publishWatch } from '../watch/publish-watch.ts';
import { runWatch, type WatchScene } from '../watch/run-watch.ts';
import { WATCH_FORMATS } from '../watch/watch-formats.ts';
import { planWatch, type WatchFlags, type WatchPlan } from '../watch/watch-options.ts';

export const command: CommandModule<WatchFlags> = {
  declare(command) {
    command
      .description(
        'Show commits as they arrive: on a terminal on a screen, otherwise a line of JSON an ' +
          'event. Without a remote, those of this repository, whichever process makes them.',
      )
      .argument('[remote-and-branches...]', 'a remote or a URL; then branches, such as "release/*"')
      .addOption(
        new Option('--format <name>', 'the form of what is written').choices(
          Object.keys(WATCH_FORMATS),
        ),
      )
      .option('--table <name>', 'only commits that changed this table; may be repeated', collect)
      .option(
        '--where <condition>',
        'only rows for which an SQL condition holds, and their commits',
      )
      .option('--since <when>', 'from a commit, a time, or the cursor (id) of an event')
      .option('--min-seq <cursor>', 'wait until the server has come to this cursor')
      .option('--once', 'end when everything that is there has been told')
      .option('--exec <command>', 'run a command for each commit, with the event on its input')
      .option('--follow', 'keep refs/remotes/... up to date as commits arrive')
      .option('--apply', 'and the branch you are on, with its files')
      .option('--cursor-file <file>', 'go on where the last output that succeeded ended')
      .option('--to <place>', 'send messages to Kafka: kafka:HOST:PORT/PREFIX');
  },
  examples: [
    ['dv watch', 'commits of this repository, as they are made'],
    ['dv watch origin main --format text', 'a line a commit'],
    [
      'dv watch --table cities.csv --where "population > 1000000"',
      'only what touches large cities',
    ],
    ['dv watch origin --apply', 'files that follow a remote'],
    ['dv watch --since main~10 --once --json', 'what the last ten commits were'],
    [
      'dv watch --cursor-file last --exec "jq -r .message >> log"',
      'each commit once, restarts included',
    ],
  ],
  async run(context, { operands, options }) {
    const plan = planWatch(options, context);
    const inRepository = findWorktree(context.cwd) !== undefined;
    const repo = inRepository ? await openRepositoryOf(context) : undefined;
    const follows = options.follow === true || options.apply === true;
    const place = { repo, cwd: context.cwd, env: context.environment };
    const feed = await openFeed(place, operands, { least: options.minSeq, packs: follows });
    context.atEnd(() => feed.source.close());
    if (options.to !== undefined) {
      const { source, patterns } = feed;
      await publishWatch(context, options.to, { source, patterns, flags: options, repo });
      return undefined;
    }
    const from = await beginning(context, repo, options, plan.cursorFile);
    const scene: WatchScene = { source: feed.source, patterns: feed.patterns, from };
    const following = follows
      ? await openFollowing(context, repo, feed, scene, {
          applies: options.apply === true,
          runsCommand: options.exec !== undefined,
        })
      : undefined;
    await show(context, plan, following?.scene ?? scene, feed, titleOf(feed, operands));
    await following?.settled();
    return undefined;
  },
};

async function show(
  context: Context,
  plan: WatchPlan,
  scene: WatchScene,
  { listen }: OpenedFeed,
  title: string,
): Promise<void> {
  if (plan.screen) {
    const { watchOnScreen } = await import('../screens/open-watch.ts');
    return watchOnScreen(context, plan, scene, title, listen);
  }
  listen?.(noteConnection(context));
  return runWatch(context, plan, scene);
}

function titleOf({ source, remote, patterns }: OpenedFeed, operands: readonly string[]): string {
  return [remote === undefined ? source.url : operands[0], ...patterns].join('  ');
}

/** Says on standard error that the connection is lost, and that it is back. */
function noteConnection(context: Context): (state: FeedState) => void {
  let isLost = false;
  return (state) => {
    if (state.kind === 'waiting' && !isLost) context.note(`${state.error.message}; trying again`);
    if (state.kind === 'live' && isLost) context.note('connected again');
    isLost = state.kind === 'waiting';
  };
}

/** A cursor file that is there goes before --since, which is for the first time. */
async function beginning(
  context: Context,
  repo: Repository | undefined,
  { since }: WatchFlags,
  cursorFile: string | undefined,
): Promise<FollowPosition> {
  const kept = cursorFile === undefined ? undefined : readCursorFile(cursorFile);
  if (kept !== undefined) return kept;
  if (since === undefined) return FROM_NOW;
  const cursor = await resolveBeginning(repo, since, context.environment.now());
  return { ...FROM_NOW, cursor };
}

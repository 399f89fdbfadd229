/**
 * `dv watch`: commits as they arrive, here or at a remote.
 *
 * JSON: a line an event, as src/live/contract.ts has it; `--format` has other forms.
 */
import { Option } from 'commander';
import type { FeedSource } from '../../live/contract.ts';
import { type FollowPosition, FROM_NOW } from '../../live/follow-position.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { openFeedOf, resolveBeginning } from '../../porcelain/watch.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { collect } from '../message.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { readCursorFile } from '../watch/cursor-file.ts';
import { publishWatch } from '../watch/publish-watch.ts';
import { runWatch } from '../watch/run-watch.ts';
import { WATCH_FORMATS } from '../watch/watch-formats.ts';
import { planWatch, type WatchFlags } from '../watch/watch-options.ts';

export const command: CommandModule<WatchFlags> = {
  declare(command) {
    command
      .description(
        'Show commits as they arrive: on a terminal on a screen, otherwise a line of JSON an ' +
          'event. Without a remote, those of this repository, whichever process makes them.',
      )
      .argument('[remote-and-branches...]', 'a remote or a URL; then branches, such as "release/*"')
      .addOption(
        new Option('--format <name>', Object.keys(WATCH_FORMATS).join(', ')).choices(
          Object.keys(WATCH_FORMATS),
        ),
      )
      .option('--table <name>', 'only commits that changed this table; may be repeated', collect)
      .option(
        '--where <condition>',
        'only rows for which an SQL condition holds, and their commits',
      )
      .option('--since <when>', 'from a commit, a time, or the cursor (id) of an event')
      .option('--once', 'end when everything that is there has been told')
      .option('--exec <command>', 'run a command for each commit, with the event on its input')
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
    ['dv watch --since main~10 --once --json', 'what the last ten commits were'],
    [
      'dv watch --cursor-file last --exec "jq -r .message >> log"',
      'each commit once, restarts included',
    ],
  ],
  async run(context, { operands, options }) {
    const plan = planWatch(options, context);
    const repo = await openRepositoryOf(context);
    const { source, patterns } = await openFeedOf(repo, operands);
    context.atEnd(() => source.close());
    if (options.to !== undefined) {
      await publishWatch(context, options.to, { source, patterns, flags: options, repo });
      return undefined;
    }
    const from = await beginning(context, repo, options, plan.cursorFile);
    const scene = { source, patterns, from };
    if (!plan.screen) await runWatch(context, plan, scene);
    else {
      const { watchOnScreen } = await import('../screens/open-watch.ts');
      await watchOnScreen(context, plan, scene, titleOf(source, patterns), undefined);
    }
    return undefined;
  },
};

function titleOf({ url }: FeedSource, patterns: readonly string[]): string {
  return [url, ...patterns].join('  ');
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

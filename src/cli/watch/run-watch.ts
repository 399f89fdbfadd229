/**
 * The loop of `dv watch` without a screen: an event, its output, and only then the cursor.
 * What is output goes to the reader before the cursor moves; an output that failed half way
 * leaves it where it was.
 */
import type { CommitEvent, FeedSource } from '../../live/contract.ts';
import type { FollowPosition } from '../../live/follow-position.ts';
import { follow } from '../../live/follower.ts';
import type { Context } from '../context.ts';
import { writeCursorFile } from './cursor-file.ts';
import { narrowEvent } from './matching-rows.ts';
import { CommandRunner } from './run-command.ts';
import type { FormatScene } from './watch-format.ts';
import type { WatchPlan } from './watch-options.ts';

/** How often a cursor that moves without any output is written down. */
const QUIET_CURSOR_MS = 1000;

export interface WatchScene {
  readonly source: FeedSource;
  readonly patterns: readonly string[];
  readonly from: FollowPosition;
  /** Aborts with what ends the watch from elsewhere. */
  readonly failing?: AbortSignal;
}

export async function runWatch(context: Context, plan: WatchPlan, scene: WatchScene) {
  const abort = new AbortController();
  // Waiting for a feed keeps no process alive; a watch is meant to.
  const alive = setInterval(() => undefined, KEEP_ALIVE_MS);
  context.atEnd(() => {
    clearInterval(alive);
    abort.abort();
  });
  scene.failing?.addEventListener('abort', () => abort.abort());
  const formats = formatScene(context, plan, scene.source);
  const runner = plan.exec === undefined ? undefined : new CommandRunner(context, plan.exec);
  const save = cursorSaver(context, plan.cursorFile);
  const events = follow(scene.source, {
    patterns: scene.patterns,
    tables: plan.tables,
    counts: plan.format?.counts ?? false,
    from: scene.from,
    everyCommit: true,
    signal: abort.signal,
  });
  for await (const { event, position } of events) {
    scene.failing?.throwIfAborted();
    if (plan.format !== undefined) {
      for await (const text of plan.format.render(event, formats)) {
        context.out.write(text);
        if (text.length > FLUSH_CHARACTERS) await context.out.flush();
      }
      await context.out.flush();
    }
    if (runner !== undefined && event.type === 'commit') await execute(runner, event, formats);
    const isOver = plan.once && event.type === 'bookmark';
    save(position, event.type === 'bookmark' && !isOver);
    if (isOver) break;
  }
  scene.failing?.throwIfAborted();
}

const KEEP_ALIVE_MS = 1 << 30;
const FLUSH_CHARACTERS = 16 * 1024;

async function execute(
  runner: CommandRunner,
  event: CommitEvent,
  scene: FormatScene,
): Promise<void> {
  const wanted = await narrowEvent(event, scene);
  if (wanted !== undefined) await runner.run(wanted);
}

function cursorSaver(
  { environment }: Context,
  file: string | undefined,
): (position: FollowPosition, isQuiet: boolean) => void {
  let last = 0;
  return (position, isQuiet) => {
    if (file === undefined) return;
    const now = environment.now();
    if (isQuiet && now - last < QUIET_CURSOR_MS) return;
    writeCursorFile(file, position);
    last = now;
  };
}

export function formatScene(context: Context, plan: WatchPlan, source: FeedSource): FormatScene {
  const { tables, where } = plan;
  return { source, tables, where, paint: context.paint, shownLine: context.shownLine };
}

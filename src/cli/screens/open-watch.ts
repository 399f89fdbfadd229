/** From a feed to the watch screen: the loop of `dv watch` on a terminal. */
import type { CommitEvent } from '../../live/contract.ts';
import { follow } from '../../live/follower.ts';
import type { FeedState } from '../../live/http-source.ts';
import type { Context } from '../context.ts';
import { renderDiffText } from '../render/diff-text.ts';
import { writeCursorFile } from '../watch/cursor-file.ts';
import { narrowEvent } from '../watch/matching-rows.ts';
import { formatScene, type WatchScene } from '../watch/run-watch.ts';
import type { WatchPlan } from '../watch/watch-options.ts';
import type { Connection } from './watch-model.ts';

/** Lines of a row diff that are looked at; a file or `dv show` has the rest. */
const MOST_LINES = 5000;

/** Lets the screen hear of a connection; undefined for a feed that has none. */
export type ListenToFeed = ((listener: (state: FeedState) => void) => void) | undefined;

export async function watchOnScreen(
  context: Context,
  plan: WatchPlan,
  scene: WatchScene,
  title: string,
  listen: ListenToFeed,
): Promise<void> {
  const abort = new AbortController();
  const formats = formatScene(context, plan, scene.source);
  // Ink is loaded only here: it would double the start of every other command.
  const { openWatchScreen } = await import('./watch-screen.ts');
  const screen = await openWatchScreen({
    title,
    color: context.color,
    shownLine: context.shownLine,
    now: context.environment.now,
    zone: context.environment.zone,
    enterScreen: () => toTerminal(context, ENTER),
    leaveScreen: () => toTerminal(context, LEAVE),
    readRows: (event, width) => readRows(formats, event, width),
  });
  listen?.((state) => screen.connection(connectionOf(state, context.environment.now())));
  context.atEnd(() => {
    abort.abort();
    screen.end();
  });
  scene.failing?.addEventListener('abort', () => screen.end(scene.failing?.reason));
  const reading = (async () => {
    const options = {
      patterns: scene.patterns,
      tables: plan.tables,
      counts: true,
      from: scene.from,
      everyCommit: true,
      signal: abort.signal,
    };
    for await (const { event, position } of follow(scene.source, options)) {
      if (listen === undefined) screen.connection({ kind: 'live', how: 'this repository' });
      const wanted = event.type === 'commit' ? await narrowEvent(event, formats) : event;
      if (wanted !== undefined) screen.take(wanted);
      if (plan.cursorFile !== undefined) writeCursorFile(plan.cursorFile, position);
    }
  })().catch((error: unknown) => screen.end(error));
  try {
    await screen.left;
  } finally {
    abort.abort();
    await reading;
  }
}

function connectionOf(state: FeedState, now: number): Connection {
  if (state.kind === 'live') return { kind: 'live', how: state.form };
  return { kind: 'waiting', why: state.error.message, until: now + state.ms };
}

async function readRows(
  { source, tables, where }: ReturnType<typeof formatScene>,
  event: CommitEvent,
  width: number,
): Promise<readonly string[]> {
  const diffs = source.changes(event.old, event.new, { tables, where });
  const lines: string[] = [];
  for await (const text of renderDiffText(diffs, { width: width - 1 })) {
    lines.push(...text.replace(/\n$/, '').split('\n'));
    if (lines.length < MOST_LINES) continue;
    return [...lines.slice(0, MOST_LINES), 'and more: dv show has all of it'];
  }
  return lines.length === 0 ? ['no row of a table differs'] : lines;
}

/** xterm: the alternate screen, from its upper left corner. */
const ENTER = '\x1b[?1049h\x1b[H';
const LEAVE = '\x1b[?1049l';

function toTerminal({ out }: Context, sequence: string): void {
  out.write(sequence);
  void out.flush();
}

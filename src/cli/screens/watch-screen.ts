/**
 * `dv watch` on a terminal. Ink draws and tells the keys; what they mean is in
 * watch-model.ts, how it looks in watch-view.ts. Commits are gathered and drawn FRAMES times
 * a second at most, however many come.
 */
import type { CommitEvent, FeedEvent } from '../../live/contract.ts';
import {
  type Connection,
  type Key,
  keysOf,
  pressKey,
  START,
  takeEvents,
  type WatchState,
} from './watch-model.ts';
import { roomOf, viewOf, type WatchRole } from './watch-view.ts';

export interface WatchScreenOptions {
  readonly title: string;
  readonly color: boolean;
  readonly shownLine: (text: string) => string;
  readonly now: () => number;
  readonly zone: () => number;
  readonly enterScreen: () => void;
  readonly leaveScreen: () => void;
  /** A commit's row diff as lines, made for this width. */
  readonly readRows: (event: CommitEvent, width: number) => Promise<readonly string[]>;
}

/** What the screen is told from outside. */
export interface WatchScreen {
  take(event: FeedEvent): void;
  connection(connection: Connection): void;
  /** Ends the screen with an error, or without. */
  end(error?: unknown): void;
  /** Resolves when the person has left. Throws what ended it. */
  readonly left: Promise<void>;
}

const FRAMES = 15;

const STYLES: Readonly<Record<WatchRole, Readonly<Record<string, unknown>>>> = {
  plain: {},
  head: { bold: true },
  dim: { dimColor: true },
  here: { bold: true, color: 'cyan' },
  added: { color: 'green' },
  removed: { color: 'red' },
  changed: { color: 'yellow' },
  alarm: { bold: true, color: 'yellow' },
};

export async function openWatchScreen(options: WatchScreenOptions): Promise<WatchScreen> {
  // Modules that await at their top: the bundle cannot require them.
  const [ink, react] = await Promise.all([import('ink'), import('react')]);
  const { Box, render, Text, useApp, useInput, useStdout } = ink;
  const { createElement, useEffect, useReducer } = react;
  let state: WatchState = START;
  let waiting: { readonly event: FeedEvent; readonly at: number }[] = [];
  let isDirty = true;
  let leave: () => void = () => undefined;
  let failure: { readonly error: unknown } | undefined;
  const set = (next: WatchState) => {
    state = next;
    isDirty = true;
  };

  function Screen() {
    const { exit } = useApp();
    const { stdout } = useStdout();
    const [, redraw] = useReducer((count: number) => count + 1, 0);
    const size = sizeOf(stdout);
    leave = exit;
    useEffect(() => {
      let second = 0;
      const timer = setInterval(() => {
        const now = Math.floor(options.now() / 1000);
        // Rate, lag and waiting times go on by themselves.
        if (!isDirty && waiting.length === 0 && now === second) return;
        second = now;
        state = takeEvents(state, waiting);
        waiting = [];
        isDirty = false;
        redraw();
      }, 1000 / FRAMES);
      stdout.on('resize', redraw);
      return () => {
        clearInterval(timer);
        stdout.off('resize', redraw);
      };
    }, [stdout]);
    useInput((input, key) => {
      for (const one of keysOf({ ...key, input })) press(one, size);
      redraw();
    });
    // One line less than there is: a full screen makes the terminal scroll.
    const lines = viewOf(state, {
      width: size.width,
      height: size.height - 1,
      title: options.title,
      now: options.now(),
      zone: options.zone(),
      shownLine: options.shownLine,
    });
    const drawn = lines.map((spans, key) => {
      const parts = spans.map(({ text, role }, i) =>
        createElement(Text, { key: i, ...(options.color ? STYLES[role] : {}) }, text),
      );
      const isEmpty = spans.every(({ text }) => text === '');
      return createElement(Text, { key, wrap: 'truncate' }, ...(isEmpty ? [' '] : parts));
    });
    return createElement(Box, { flexDirection: 'column' }, ...drawn);
  }

  function press(key: Key, size: WindowSize): void {
    const next = pressKey(state, key, roomOf(size.height - 1) - 1);
    set({ ...next, asks: null });
    if (next.asks === 'quit') leave();
    else if (next.asks === 'rows' && next.chosen !== null) void showRows(next.chosen, size.width);
  }

  async function showRows(event: CommitEvent, width: number): Promise<void> {
    try {
      const rows = await options.readRows(event, width);
      if (state.mode === 'rows' && state.chosen === event) set({ ...state, rows });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (state.chosen === event) set({ ...state, rows: [options.shownLine(why)] });
    }
  }

  options.enterScreen();
  const app = render(createElement(Screen), { exitOnCtrlC: false });
  const left = app.waitUntilExit().then(
    () => options.leaveScreen(),
    (error: unknown) => {
      options.leaveScreen();
      throw error;
    },
  );
  return {
    take: (event) => waiting.push({ event, at: options.now() }),
    connection: (connection) => set({ ...state, connection }),
    end(error) {
      if (error !== undefined) failure = { error };
      leave();
    },
    left: left.then(() => {
      if (failure !== undefined) throw failure.error;
    }),
  };
}

interface WindowSize {
  readonly width: number;
  readonly height: number;
}

function sizeOf(stream: unknown): WindowSize {
  const { columns, rows } = stream as { readonly columns?: number; readonly rows?: number };
  return { width: columns ?? 80, height: rows ?? 24 };
}

/**
 * `dv resolve -i`: the resolve screen on a terminal. Ink draws it and tells the keys; what they
 * mean is in resolve-model.ts, how it looks in resolve-view.ts.
 */

import { type Key, pressKeys, type ResolveState } from './resolve-model.ts';
import { type Line, type LineRole, viewOf } from './resolve-view.ts';

export interface ScreenOptions {
  readonly title: string;
  readonly color: boolean;
  readonly shownLine: (text: string) => string;
  /** The terminal's other page, and back. */
  readonly enterScreen: () => void;
  readonly leaveScreen: () => void;
  /** Stores what is decided, and answers with the state of what is left; null: nothing is. */
  readonly save: (state: ResolveState) => Promise<ResolveState | null>;
}

const STYLES: Readonly<Record<LineRole, Readonly<Record<string, unknown>>>> = {
  plain: {},
  head: { bold: true },
  dim: { dimColor: true },
  clash: { color: 'yellow' },
  decided: { color: 'green' },
  here: { bold: true, color: 'cyan' },
};

/** Resolves when the person has left; whatever was to be saved is saved then. */
export async function runResolveScreen(start: ResolveState, options: ScreenOptions): Promise<void> {
  // Modules that await at their top: the bundle cannot require them.
  const [ink, react] = await Promise.all([import('ink'), import('react')]);
  const { Box, render, Text, useApp, useInput, useStdout } = ink;
  const { createElement, useReducer, useRef } = react;
  let failure: { readonly error: unknown } | undefined;

  function Screen() {
    const { exit } = useApp();
    const { stdout } = useStdout();
    const current = useRef(start);
    const busy = useRef(false);
    const listening = useRef(false);
    const [, redraw] = useReducer((count: number) => count + 1, 0);
    if (!listening.current) stdout.on('resize', redraw);
    listening.current = true;
    const show = (state: ResolveState) => {
      current.current = state;
      redraw();
    };
    const save = async (leaves: boolean) => {
      busy.current = true;
      try {
        const left = await options.save(current.current);
        if (leaves || left === null) exit();
        else show(left);
      } catch (error) {
        failure = { error };
        exit();
      }
      busy.current = false;
    };
    useInput((input, key) => {
      if (busy.current) return;
      const { asks, ...next } = pressKeys(current.current, { ...key, input } as Key);
      show({ ...next, asks: null });
      if (asks === 'abandon') exit();
      else if (asks !== null) void save(asks === 'leave');
    });
    const { title, shownLine, color } = options;
    const { width, height } = sizeOf(stdout);
    // One line less than there is: a full screen makes the terminal scroll.
    const lines = viewOf(current.current, { width, height: height - 1, title, shownLine });
    const texts = lines.map(({ text, role }: Line, key) => {
      const style = color ? STYLES[role] : {};
      return createElement(Text, { key, wrap: 'truncate', ...style }, text === '' ? ' ' : text);
    });
    return createElement(Box, { flexDirection: 'column' }, ...texts);
  }

  options.enterScreen();
  const app = render(createElement(Screen), { exitOnCtrlC: false });
  try {
    await app.waitUntilExit();
  } finally {
    options.leaveScreen();
  }
  if (failure !== undefined) throw failure.error;
}

function sizeOf(stream: unknown): { readonly width: number; readonly height: number } {
  const { columns, rows } = stream as { readonly columns?: number; readonly rows?: number };
  return { width: columns ?? 80, height: rows ?? 24 };
}

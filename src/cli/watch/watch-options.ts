/** The options of `dv watch`, checked against one another. */
import { resolve } from 'node:path';
import { DvError } from '../../errors.ts';
import { checkConditionText } from '../../porcelain/watch.ts';
import type { Context } from '../context.ts';
import type { WatchFormat } from './watch-format.ts';
import { WATCH_FORMATS } from './watch-formats.ts';

export interface WatchFlags {
  readonly format?: string;
  readonly table?: readonly string[];
  readonly where?: string;
  readonly since?: string;
  readonly once?: boolean;
  readonly exec?: string;
  readonly cursorFile?: string;
  readonly to?: string;
  readonly follow?: boolean;
  readonly apply?: boolean;
  readonly minSeq?: string;
}

export interface WatchPlan {
  /** undefined: nothing is written (a screen shows it, or a command has it). */
  readonly format: WatchFormat | undefined;
  readonly screen: boolean;
  readonly tables: readonly string[];
  readonly where: string | undefined;
  readonly exec: string | undefined;
  /** Absolute. */
  readonly cursorFile: string | undefined;
  readonly once: boolean;
}

/** @throws DvError `bad-option`, `bad-condition` */
export function planWatch(flags: WatchFlags, context: Context): WatchPlan {
  const { where, exec, cursorFile, once = false } = flags;
  if (where !== undefined) checkConditionText(where);
  if (exec?.trim() === '') throw new DvError('bad-option', "'--exec' names no command");
  const name = flags.format ?? (context.json ? 'json' : undefined);
  const screen = name === undefined && exec === undefined && !once && canShow(context);
  const fallback = exec === undefined && !screen ? (context.isTTY ? 'text' : 'json') : undefined;
  const chosen = name ?? fallback;
  return {
    format: chosen === undefined ? undefined : WATCH_FORMATS[chosen],
    screen,
    tables: flags.table ?? [],
    where,
    exec,
    cursorFile: cursorFile === undefined ? undefined : resolve(context.cwd, cursorFile),
    once,
  };
}

/** A screen needs a terminal on both sides: it shows, and hears keys. */
function canShow({ isTTY, stdinIsTTY, quiet }: Context): boolean {
  return isTTY && stdinIsTTY && !quiet;
}

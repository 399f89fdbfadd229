/**
 * What a command gets: everything of the outside world that it may know. The process, its
 * streams, its environment and the clock enter dv behind this and nowhere else.
 */
import type { Environment } from '../porcelain/environment.ts';
import type { Output } from './output.ts';
import type { Paint } from './render/paint.ts';

export interface Context {
  /** Absolute; after `-C`. */
  readonly cwd: string;
  /** What a repository is opened with: clock, variables, standard input, progress. */
  readonly environment: Environment;
  /** Whether a person types the standard input. */
  readonly stdinIsTTY: boolean;
  /** Results, for people or as JSON lines. */
  readonly out: Output;
  /** Errors, hints and notes. */
  readonly err: Output;
  /** Whether a person reads `out` on a terminal. */
  readonly isTTY: boolean;
  /** Columns of the terminal, 80 without one. */
  readonly width: number;
  /** Whether to colour `out`; `paint` is how, and leaves text alone when not. */
  readonly color: boolean;
  readonly paint: Paint;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Repository text for `out`: control sequences made visible when a terminal reads. */
  shown(text: string): string;
  /** As `shown`, for text that has to stay on one line. */
  shownLine(text: string): string;
  /** A line for people beside the result, on `err`. Silent with --quiet and --json. */
  note(text: string): void;
  /** Runs when the command is over, however it ends; last in, first out. */
  atEnd(cleanup: () => void | Promise<void>): void;
}

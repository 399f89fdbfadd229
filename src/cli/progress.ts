/**
 * How far a long piece of work has come, in one line of a terminal's standard error that is
 * drawn over itself and gone at the end. Work that ends within a moment never shows one.
 */
import type { Progress } from '../porcelain/environment.ts';
import { formatCount } from './render/count.ts';
import { truncate } from './render/width.ts';

const FIRST_DRAW_MS = 300;
const REDRAW_MS = 100;
const BAR_COLUMNS = 20;
const CLEAR_LINE = '\r\x1b[K';

/** The terminal that a progress line is drawn on. */
export interface ProgressTerminal {
  draw(text: string): void;
  readonly width: number;
  /** ms since the epoch. */
  now(): number;
}

/** Told by the worker, once a batch: it costs a look at the clock. */
export class ProgressLine {
  readonly #terminal: ProgressTerminal;
  #label: string | undefined;
  #start = 0;
  #nextDraw = 0;
  #drawn = false;

  constructor(terminal: ProgressTerminal) {
    this.#terminal = terminal;
  }

  /** The next step; another label is another piece of work, whose time starts now. */
  report(step: Progress): void {
    const time = this.#terminal.now();
    if (step.label !== this.#label) {
      this.#label = step.label;
      this.#start = time;
      if (!this.#drawn) this.#nextDraw = time + FIRST_DRAW_MS;
    }
    if (time < this.#nextDraw) return;
    this.#nextDraw = time + REDRAW_MS;
    this.#drawn = true;
    const line = renderProgress(step, time - this.#start, this.#terminal.width - 1);
    this.#terminal.draw(CLEAR_LINE + line);
  }

  /** Takes the line off the terminal: before anything else is written there. Idempotent. */
  clear(): void {
    if (this.#drawn) this.#terminal.draw(CLEAR_LINE);
    this.#drawn = false;
    this.#label = undefined;
  }
}

/**
 * `cities.csv  ████████░░░░  45%  41.4 MB of 92.0 MB  120.0 MB/s  0:01 left`, in at most
 * `width` columns. `elapsed` in ms since the work began.
 */
export function renderProgress(step: Progress, elapsed: number, width: number): string {
  const { label, unit, done, total } = step;
  const perSecond = elapsed > 0 ? (done / elapsed) * 1000 : 0;
  const parts = [label];
  if (total !== undefined && total > 0) {
    const share = Math.min(1, done / total);
    parts.push(renderBar(share), `${Math.floor(share * 100)}%`);
    parts.push(`${formatCount(done, unit)} of ${formatCount(total, unit)}`);
  } else {
    parts.push(formatCount(done, unit));
  }
  if (perSecond > 0) parts.push(`${formatCount(Math.round(perSecond), unit)}/s`);
  if (total !== undefined && perSecond > 0 && done < total) {
    parts.push(`${formatSeconds((total - done) / perSecond)} left`);
  }
  if (step.detail !== undefined) parts.push(step.detail);
  return truncate(parts.join('  '), width);
}

function renderBar(share: number): string {
  const full = Math.round(share * BAR_COLUMNS);
  return '█'.repeat(full) + '░'.repeat(BAR_COLUMNS - full);
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  const clock = `${minutes}:${String(whole % 60).padStart(2, '0')}`;
  return hours === 0 ? clock : `${hours}:${clock.padStart(5, '0')}`;
}

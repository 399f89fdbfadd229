/**
 * The real outside world: the process's streams, environment, folder and clock. Streams are
 * opened when first used, so that a short command does not pay for them.
 */
import { fstatSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { DvError } from '../errors.ts';
import type { Environment } from '../porcelain/environment.ts';
import { type ColorChoice, wantsColor } from './color.ts';
import type { Context } from './context.ts';
import type { GlobalFlags } from './global-flags.ts';
import { Output } from './output.ts';
import type { Host } from './program.ts';
import { ProgressLine } from './progress.ts';
import { loadPaint, type Paint } from './render/paint.ts';
import { sanitize, sanitizeLine } from './render/sanitize.ts';
import { VERSION } from './version.ts';

const DEFAULT_WIDTH = 80;
const LOCK_TIMEOUT_MS = 10_000;

/** For the modules of Node that take milliseconds to load and are seldom needed. */
const require = createRequire(import.meta.url);

export class ProcessHost implements Host {
  readonly out = new Output('standard output', 1, () => process.stdout);
  readonly err = new Output('standard error', 2, () => process.stderr);
  readonly #argv: readonly string[];
  readonly #outIsTTY = isTerminal(1);
  readonly #errIsTTY = isTerminal(2);
  readonly #cleanups: (() => void | Promise<void>)[] = [];

  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  get width(): number {
    const columns = this.#outIsTTY ? process.stdout.columns : 0;
    return columns > 0 ? columns : DEFAULT_WIDTH;
  }

  async errorPaint(): Promise<Paint> {
    return loadPaint(wantsColor(colorChoiceOf(this.#argv), process.env, this.#errIsTTY));
  }

  async openContext(flags: GlobalFlags): Promise<Context> {
    const isTTY = this.#outIsTTY;
    const color = wantsColor(flags.color, process.env, isTTY) && !flags.json;
    const progress = this.#openProgress(flags);
    return {
      cwd: enterDirectories(process.cwd(), flags.directories),
      environment: this.#environment(progress),
      get stdinIsTTY() {
        return isTerminal(0);
      },
      out: this.out,
      err: this.err,
      isTTY,
      width: this.width,
      color,
      paint: await loadPaint(color),
      json: flags.json,
      quiet: flags.quiet,
      shown: isTTY ? sanitize : identity,
      shownLine: isTTY ? sanitizeLine : identity,
      note: (text) => {
        if (flags.quiet || flags.json) return;
        progress?.clear();
        this.err.line(sanitize(text));
      },
      atEnd: (cleanup) => this.#cleanups.push(cleanup),
    };
  }

  async cleanUp(): Promise<void> {
    for (;;) {
      const cleanup = this.#cleanups.pop();
      if (cleanup === undefined) return;
      await cleanup();
    }
  }

  #environment(progress: ProgressLine | undefined): Environment {
    return {
      now: Date.now,
      zone: () => -new Date().getTimezoneOffset(),
      randomId,
      variables: process.env,
      userConfig: findUserConfig(process.env),
      owner: `${process.pid} on ${os.hostname()}, dv ${this.#argv[0] ?? ''}`.trim(),
      isAlive,
      lockTimeout: LOCK_TIMEOUT_MS,
      report: (step) => progress?.report({ ...step, label: sanitizeLine(step.label) }),
      software: `dv ${VERSION}`,
      stdin: () => process.stdin,
    };
  }

  #openProgress(flags: GlobalFlags): ProgressLine | undefined {
    if (flags.quiet || !this.#errIsTTY) return undefined;
    const progress = new ProgressLine({
      draw: (text) => process.stderr.write(text),
      width: process.stderr.columns || DEFAULT_WIDTH,
      now: Date.now,
    });
    this.#cleanups.push(() => progress.clear());
    // Results on the same terminal must not begin behind it.
    if (this.#outIsTTY) this.out.beforeWrite = () => progress.clear();
    return progress;
  }
}

function isTerminal(descriptor: number): boolean {
  try {
    if (!fstatSync(descriptor).isCharacterDevice()) return false;
  } catch {
    return false; // closed by who started dv
  }
  return (require('node:tty') as typeof import('node:tty')).isatty(descriptor);
}

const ID_BYTES = 8;
/** Drawn for many ids at once: a server needs one a request. */
let random = Buffer.alloc(0);

function randomId(): string {
  const { randomBytes } = require('node:crypto') as typeof import('node:crypto');
  if (random.length === 0) random = randomBytes(ID_BYTES * 256);
  const id = random.toString('hex', 0, ID_BYTES);
  random = random.subarray(ID_BYTES);
  return id;
}

function identity(text: string): string {
  return text;
}

/** `-C a -C b` is `-C a/b`, as in git. @throws DvError `bad-option` */
function enterDirectories(start: string, directories: readonly string[]): string {
  const end = directories.reduce((from, directory) => path.resolve(from, directory), start);
  if (directories.length === 0 || statSync(end, { throwIfNoEntry: false })?.isDirectory())
    return end;
  throw new DvError('bad-option', `cannot run in '${end}': there is no such directory`);
}

/** `$XDG_CONFIG_HOME/dv/config`, or `~/.config/dv/config`. */
function findUserConfig(env: NodeJS.ProcessEnv): string | undefined {
  if (env.XDG_CONFIG_HOME) return path.join(env.XDG_CONFIG_HOME, 'dv', 'config');
  const home = env.HOME || os.homedir();
  return home ? path.join(home, '.config', 'dv', 'config') : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Found without failing: the error to be shown may be in the flags themselves. */
function colorChoiceOf(argv: readonly string[]): ColorChoice {
  if (argv.includes('--no-color') || argv.includes('--color=never')) return 'never';
  if (argv.includes('--color') || argv.includes('--color=always')) return 'always';
  return 'auto';
}

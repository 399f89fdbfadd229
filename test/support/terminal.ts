/**
 * A real terminal for what draws on one: a tmux of its own, without anybody's settings. Keys
 * go in as a person types them, the screen is read back as a person sees it.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { testEnvironment } from './cli.ts';

export const HAS_TERMINAL = spawnSync('tmux', ['-V']).status === 0;

const run = promisify(execFile);
/** How long a screen may take to show what it should. */
const PATIENCE_MS = 30_000;

export interface TerminalOptions {
  readonly cwd: string;
  readonly columns?: number;
  readonly rows?: number;
}

export class Terminal implements AsyncDisposable {
  readonly #directory: string;
  readonly #env: Record<string, string>;

  private constructor(directory: string, env: Record<string, string>) {
    this.#directory = directory;
    this.#env = env;
  }

  /** Runs a command of the shell; its exit status is shown behind it. */
  static async open(
    command: string,
    { cwd, columns = 90, rows = 24 }: TerminalOptions,
  ): Promise<Terminal> {
    const directory = mkdtempSync(join(tmpdir(), 'dv-term-'));
    const terminal = new Terminal(directory, testEnvironment(cwd, { TERM: 'xterm-256color' }));
    const size = ['-x', String(columns), '-y', String(rows)];
    const shown = `${command}; echo "ended with $?"; exec cat`;
    await terminal.#tmux('new-session', '-d', ...size, '-c', cwd, shown);
    return terminal;
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const own = ['-u', '-f', '/dev/null', '-S', join(this.#directory, 'tmux')];
    const { stdout } = await run('tmux', [...own, ...args], { env: this.#env });
    return stdout;
  }

  /** Keys by tmux's names: `t`, `Enter`, `Tab`, `C-u`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
  }

  /** Lines, without blanks at their ends. */
  screen(): Promise<string> {
    return this.#tmux('capture-pane', '-p');
  }

  /** The screen once it shows `wanted`, or once that holds of its text. */
  async until(wanted: RegExp | ((screen: string) => boolean)): Promise<string> {
    const holds = (text: string) => (wanted instanceof RegExp ? wanted.test(text) : wanted(text));
    const end = Date.now() + PATIENCE_MS;
    let shown = await this.screen();
    while (!holds(shown)) {
      if (Date.now() > end) throw new Error(`the screen never showed ${wanted}:\n${shown}`);
      shown = await this.screen();
    }
    return shown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux('kill-server');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

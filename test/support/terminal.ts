/** dv in a real terminal (tmux): keys in, the screen's text out. */
import { spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { testEnvironment } from './cli.ts';

export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

let opened = 0;

export class Terminal {
  readonly #socket: string;
  readonly #environment: Record<string, string>;

  constructor(cwd: string, command: string, size = { width: 80, height: 24 }) {
    opened += 1;
    this.#socket = `dv-test-${process.pid}-${opened}`;
    this.#environment = { ...testEnvironment(cwd), TERM: 'xterm-256color' };
    const { width, height } = size;
    const options = ['-d', '-x', String(width), '-y', String(height), '-c', cwd];
    this.#tmux('new-session', ...options, `${command}; echo "status $?"; sleep 60`);
    onTestFinished(() => {
      this.#tmux('kill-server');
    });
  }

  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Typed as it is. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  lines(): string[] {
    return this.#tmux('capture-pane', '-p').split('\n').slice(0, -1);
  }

  /** The screen once `wanted` holds of it. */
  async see(
    wanted: RegExp | ((lines: readonly string[]) => boolean),
    ms = 15_000,
  ): Promise<string[]> {
    const end = Date.now() + ms;
    for (;;) {
      const lines = this.lines();
      const text = lines.join('\n');
      if (typeof wanted === 'function' ? wanted(lines) : wanted.test(text)) return lines;
      if (Date.now() > end)
        throw new Error(`the screen never showed ${wanted}; it shows:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  #tmux(...args: readonly string[]): string {
    const all = ['-L', this.#socket, '-f', '/dev/null', ...args];
    const { stdout } = spawnSync('tmux', all, { env: this.#environment, encoding: 'utf8' });
    return stdout;
  }
}

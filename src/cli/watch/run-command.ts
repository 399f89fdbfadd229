/**
 * `dv watch --exec`: a command of the shell for each commit, with the event on its standard
 * input. One after the other; one that fails ends the watch.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { DvError } from '../../errors.ts';
import type { CommitEvent } from '../../live/contract.ts';
import type { Context } from '../context.ts';
import { eventText } from './watch-formats.ts';

export class CommandRunner {
  readonly #context: Context;
  readonly #command: string;
  #child: ChildProcess | undefined;

  constructor(context: Context, command: string) {
    this.#context = context;
    this.#command = command;
    context.atEnd(() => {
      this.#child?.kill('SIGTERM');
    });
  }

  /** @throws DvError `command-failed` */
  async run(event: CommitEvent): Promise<void> {
    const { cwd, environment } = this.#context;
    const child = spawn(this.#command, {
      cwd,
      shell: true,
      stdio: ['pipe', 'inherit', 'inherit'],
      env: {
        ...environment.variables,
        DV_EVENT_ID: event.id,
        DV_EVENT_REF: event.ref,
        DV_EVENT_COMMIT: event.new,
      },
    });
    this.#child = child;
    const ended = new Promise<string | undefined>((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) => {
        resolve(code === 0 ? undefined : `it ended with ${code ?? signal}`);
      });
    });
    child.stdin.on('error', () => undefined); // a command need not read its input
    child.stdin.end(`${eventText(event)}\n`);
    const failure = await ended;
    this.#child = undefined;
    if (failure === undefined) return;
    throw new DvError(
      'command-failed',
      `'${this.#command}' failed for commit ${event.new.slice(0, 12)}: ${failure}`,
      {
        hint: 'nothing behind it was run; with the same --cursor-file it is run again',
        data: { command: this.#command, commit: event.new, id: event.id, reason: failure },
      },
    );
  }
}

/** A repository that tests of the everyday commands work in, and the lines they type there. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type RunOptions, type RunResult, runDv, temporaryDirectory } from './cli.ts';

export const CITIES = 'id,name,population\n1,Zürich,415367\n2,Bern,133883\n3,Basel,\n';

export class Shell {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** An empty repository, in a directory that goes with the test unless one is given. */
  static async open(directory = temporaryDirectory()): Promise<Shell> {
    const shell = new Shell(directory);
    await shell.ok('init', '--quiet');
    return shell;
  }

  /** A repository with one commit, of `cities.csv`. */
  static async openCommitted(directory?: string): Promise<Shell> {
    const shell = await Shell.open(directory);
    shell.write('cities.csv', CITIES);
    await shell.ok('add', 'cities.csv');
    await shell.ok('commit', '-m', 'First');
    return shell;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text);
  }

  remove(name: string): void {
    rmSync(join(this.directory, name));
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return runDv(args, { cwd: this.directory, ...options });
  }

  /** What a command that succeeds writes. */
  async ok(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(args);
    expect(`${status} ${stderr}`, args.join(' ')).toMatch(/^0 (?!error)/);
    return stdout;
  }

  /** The one JSON value that a command writes. */
  async json(...args: string[]): Promise<unknown> {
    return JSON.parse(await this.ok(...args, '--json'));
  }

  /** The JSON values that a command writes, one a line. */
  async lines(...args: string[]): Promise<unknown[]> {
    const text = await this.ok(...args, '--json');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** Changes a file, stages and commits it. */
  async commit(name: string, text: string, message: string): Promise<string> {
    this.write(name, text);
    await this.ok('add', name);
    const { commit } = (await this.json('commit', '-m', message)) as { commit: string };
    return commit;
  }
}

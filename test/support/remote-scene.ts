/** Repositories that push to and fetch from each other, in directories that go with the test. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { temporaryDirectory } from './cli.ts';
import { Shell } from './everyday.ts';

export const ROWS = 'id,name\n1,a\n2,b\n3,c\n';

export class RemoteScene {
  readonly directory = temporaryDirectory();

  /** A shell in a directory of the scene, which need not hold a repository. */
  shell(name: string): Shell {
    const path = join(this.directory, name);
    mkdirSync(path, { recursive: true });
    return new Shell(path);
  }

  /** A bare repository with one commit of `x.csv`, pushed from `first`, which follows it. */
  async openPublished(): Promise<{ url: string; first: Shell }> {
    const url = join(this.directory, 'shared');
    await this.shell('shared').ok('init', '--bare', '--quiet');
    const first = this.shell('first');
    await first.ok('init', '--quiet');
    await first.commit('x.csv', ROWS, 'One');
    await first.ok('remote', 'add', 'origin', url);
    await first.ok('push', '-u', 'origin', 'main');
    return { url, first };
  }

  async clone(url: string, name: string, ...flags: string[]): Promise<Shell> {
    await this.shell('.').ok('clone', '--quiet', ...flags, url, name);
    return this.shell(name);
  }
}

/** The commit that a revision names. */
export async function commitOf(shell: Shell, revision = 'HEAD'): Promise<string> {
  const [{ commit }] = (await shell.lines('log', '-1', revision)) as { commit: string }[];
  return commit;
}

export async function expectSound(shell: Shell): Promise<void> {
  expect(await shell.ok('fsck')).toContain('sound');
}

/** A command that fails: its error. */
export async function failing(shell: Shell, ...args: string[]) {
  const { status, stdout } = await shell.run([...args, '--json']);
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return {
    status,
    error: (JSON.parse(last) as { error: { code: string; message: string; hint?: string } }).error,
  };
}

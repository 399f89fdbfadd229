/** `dv config` as its people use it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runDv, temporaryDirectory } from '../support/cli.ts';

/** A home, and in it a directory that counts as a repository. */
function makeHome(): { home: string; worktree: string; config: string; user: string } {
  const home = temporaryDirectory();
  const worktree = join(home, 'work');
  mkdirSync(join(worktree, '.dv'), { recursive: true });
  writeFileSync(join(worktree, '.dv', 'store.db'), '');
  return {
    home,
    worktree,
    config: join(worktree, '.dv', 'config'),
    user: join(home, '.config', 'dv', 'config'),
  };
}

describe('dv config', () => {
  test('sets, gets, lists and unsets, in git words old and new', async () => {
    const { home, worktree, config, user } = makeHome();
    const dv = (...args: string[]) => runDv(args, { cwd: worktree, env: { HOME: home } });
    for (const args of [
      ['config', '--global', 'user.name', 'Ada Lovelace'],
      ['config', 'set', '--global', 'user.email', 'ada@example.org'],
      ['config', 'set', 'user.name', 'Countess'],
    ]) {
      expect(await dv(...args)).toEqual({ status: 0, stdout: '', stderr: '' });
    }
    expect(readFileSync(user, 'utf8')).toBe(
      '[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n',
    );
    expect((await dv('config', 'user.name')).stdout).toBe('Countess\n');
    expect((await dv('config', 'get', '--global', 'user.name')).stdout).toBe('Ada Lovelace\n');
    expect((await dv('config', 'list', '--show-origin')).stdout).toBe(
      [
        `${user}:2\tuser.name=Ada Lovelace`,
        `${user}:3\tuser.email=ada@example.org`,
        `${config}:2\tuser.name=Countess`,
        '',
      ].join('\n'),
    );
    expect((await dv('config', '-l', '--local')).stdout).toBe('user.name=Countess\n');
    expect((await dv('config', '--unset', 'user.name')).status).toBe(0);
    expect((await dv('config', 'user.name')).stdout).toBe('Ada Lovelace\n');
    const again = await dv('config', 'unset', 'user.name');
    expect(again).toEqual({ status: 1, stdout: '', stderr: `user.name is not set in ${config}\n` });
  });

  test('speaks JSON', async () => {
    const { home, worktree, config } = makeHome();
    const json = async (...args: string[]) => {
      const { status, stdout, stderr } = await runDv(['config', '--json', ...args], {
        cwd: worktree,
        env: { HOME: home },
      });
      return { status, stderr, value: JSON.parse(stdout) };
    };
    const entry = { key: 'a.b', value: 'c\n', origin: 'repository', file: config, line: 2 };
    expect((await json('a.b', 'c\n')).value).toEqual({ key: 'a.b', value: 'c\n', file: config });
    expect((await json('a.b')).value).toEqual(entry);
    expect((await json()).value).toEqual({ entries: [entry] });
    expect(await json('x.y')).toEqual({
      status: 1,
      stderr: '',
      value: { key: 'x.y', value: null },
    });
    expect(await json('unset', 'x.y')).toEqual({
      status: 1,
      stderr: '',
      value: { key: 'x.y', file: config, removed: false },
    });
    const { status, value } = await json('nodot');
    expect({ status, code: value.error.code }).toEqual({ status: 2, code: 'bad-name' });
  });

  test('needs a repository for what is not the user, and says how else', async () => {
    const home = temporaryDirectory();
    const { status, stderr } = await runDv(['config', 'user.name', 'Ada'], { cwd: home });
    expect(status).toBe(2);
    expect(stderr).toContain('no dv repository');
    expect(stderr).toContain('--global');
    expect((await runDv(['config', 'list'], { cwd: home })).status).toBe(0);
    expect((await runDv(['config', 'list', '--local'], { cwd: home })).status).toBe(2);
  });

  test.each([
    [['set', 'a.b']],
    [['get', 'a.b', 'c']],
    [['list', 'a.b']],
    [['--unset']],
    [['--unset', 'a.b', 'c']],
    [['a.b', 'c', 'd']],
    [['--global', '--local', 'a.b']],
  ])('refuses %j', async (args) => {
    const { status, stderr } = await runDv(['config', ...args], { cwd: temporaryDirectory() });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: /);
  });

  test('says where a broken file is broken', async () => {
    const { home, worktree, config } = makeHome();
    writeFileSync(config, '[user]\nname = "Ada\n');
    const { status, stderr } = await runDv(['config', 'user.name'], {
      cwd: worktree,
      env: { HOME: home },
    });
    expect(status).toBe(3);
    expect(stderr).toContain(`in line 2 of ${config}`);
  });

  test('follows XDG_CONFIG_HOME', async () => {
    const home = temporaryDirectory();
    await runDv(['config', '--global', 'a.b', 'c'], {
      cwd: home,
      env: { XDG_CONFIG_HOME: join(home, 'xdg') },
    });
    expect(readFileSync(join(home, 'xdg', 'dv', 'config'), 'utf8')).toBe('[a]\n\tb = c\n');
  });
});

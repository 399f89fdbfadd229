/** Shallow and partial clones: what they lack, what fetches it, and that everything works. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Shell } from '../support/everyday.ts';
import { commitOf, expectSound, failing, RemoteScene, ROWS } from '../support/remote-scene.ts';

/** Five commits of two tables; `y.csv` is large enough to matter. */
async function openHistory(scene: RemoteScene): Promise<{ url: string; first: Shell }> {
  const { url, first } = await scene.openPublished();
  const many = Array.from({ length: 2000 }, (_, i) => `${i},value ${i}`).join('\n');
  await first.commit('y.csv', `id,text\n${many}\n`, 'Two');
  await first.commit('x.csv', `${ROWS}4,d\n`, 'Three');
  await first.commit('y.csv', `id,text\n${many}\n9999,more\n`, 'Four');
  await first.commit('x.csv', `${ROWS}4,d\n5,e\n`, 'Five');
  await first.ok('push');
  return { url, first };
}

async function subjects(shell: Shell, ...args: string[]): Promise<string[]> {
  return (await shell.ok('log', '--pretty', '%s', ...args)).trim().split('\n');
}

describe('a shallow clone', () => {
  test('says so, and works', async () => {
    const scene = new RemoteScene();
    const { url, first } = await openHistory(scene);
    const clone = await scene.clone(url, 'clone', '--depth', '2');
    expect(await subjects(clone)).toEqual(['Five', 'Four']);
    expect((await clone.run(['log'])).stderr).toContain('dv fetch --unshallow');
    expect((await clone.lines('log')).at(-1)).toMatchObject({ shallow: true });
    expect(await clone.json('status')).toMatchObject({ shallow: { boundary: 1 }, clean: true });
    expect(await clone.ok('diff', 'HEAD~1', '--stat')).toContain('x.csv');
    await expectSound(clone);
    await clone.ok('gc');
    const six = await clone.commit('x.csv', `${ROWS}4,D\n5,e\n`, 'Six');
    await clone.ok('push');
    await first.ok('pull');
    expect(await commitOf(first)).toBe(six);
    await first.commit('x.csv', `${ROWS}4,D\n5,E\n`, 'Seven');
    await first.ok('push');
    await clone.ok('pull');
    expect(await subjects(clone)).toEqual(['Seven', 'Six', 'Five', 'Four']);
    await expectSound(clone);
    expect((await clone.run(['blame', 'x.csv'])).stderr).toContain('may be older');
  });

  test('gets deeper, and whole', async () => {
    const scene = new RemoteScene();
    const { url, first } = await openHistory(scene);
    const clone = await scene.clone(url, 'clone', '--depth', '1');
    await clone.ok('fetch', '--depth', '3');
    expect(await subjects(clone)).toEqual(['Five', 'Four', 'Three']);
    await expectSound(clone);
    await clone.ok('fetch', '--unshallow');
    expect(await subjects(clone)).toEqual(await subjects(first));
    expect(await clone.json('status')).not.toHaveProperty('shallow');
    await expectSound(clone);
  });

  test('fetches what a command asks for', async () => {
    const scene = new RemoteScene();
    const { url, first } = await openHistory(scene);
    const clone = await scene.clone(url, 'clone', '--depth', '1');
    expect(await clone.ok('diff', 'HEAD~3', '--stat')).toContain('x.csv');
    expect(await subjects(clone)).toEqual(await subjects(first));
    await expectSound(clone);
  });

  test('merges what has nothing visible in common', async () => {
    const scene = new RemoteScene();
    const { url, first } = await openHistory(scene);
    await first.ok('switch', '-q', '-c', 'old', 'HEAD~3');
    await first.commit('x.csv', 'id,name\n1,A\n2,b\n3,c\n', 'Aside');
    await first.ok('push', 'origin', 'old');
    const clone = await scene.clone(url, 'clone', '--depth', '1');
    await clone.ok('fetch', '--depth', '1', 'origin', 'old:refs/remotes/origin/old');
    expect(await clone.json('merge', 'origin/old')).toMatchObject({ outcome: 'merged' });
    expect(readFileSync(join(clone.directory, 'x.csv'), 'utf8')).toBe(
      'id,name\n1,A\n2,b\n3,c\n4,d\n5,e\n',
    );
    await expectSound(clone);
  });

  test('that cannot reach its remote says what it lacks', async () => {
    const scene = new RemoteScene();
    const { url } = await openHistory(scene);
    const clone = await scene.clone(url, 'clone', '--depth', '1');
    renameSync(url, `${url}-gone`);
    const offline = await failing(clone, 'diff', 'HEAD~3');
    expect(offline).toMatchObject({ status: 4, error: { code: 'remote-unreachable' } });
    expect(offline.error.message).toContain('older commits');
    await clone.ok('status');
    await clone.ok('log');
  });
});

describe('a partial clone', () => {
  test('brings one table, and the others when they are needed', async () => {
    const scene = new RemoteScene();
    const { url, first } = await openHistory(scene);
    const clone = await scene.clone(url, 'clone', '--table', 'x.csv');
    expect(existsSync(join(clone.directory, 'x.csv'))).toBe(true);
    expect(existsSync(join(clone.directory, 'y.csv'))).toBe(false);
    expect(await clone.json('status')).toMatchObject({
      clean: true,
      partial: { remote: 'origin', tables: ['x.csv'] },
    });
    // A file that was never written is no table removed.
    expect(await clone.ok('diff', '--stat')).toBe('');
    expect(await clone.ok('diff', 'HEAD~1', '--name-only')).toBe('x.csv\n');
    await expectSound(clone);
    await clone.ok('gc');
    const six = await clone.commit('x.csv', `${ROWS}4,D\n5,e\n`, 'Six');
    await clone.ok('commit', '-a', '-m', 'nothing', '--skip-empty');
    expect(await commitOf(clone)).toBe(six);
    await clone.ok('push');
    await first.ok('pull');
    expect(await first.ok('ls-tree')).toContain('y.csv');
    expect(await clone.ok('hash', 'HEAD:y.csv')).toBe(await first.ok('hash', 'y.csv'));
    expect(await clone.ok('diff', 'HEAD~4', 'HEAD', '--stat')).toContain('y.csv');
    await clone.ok('restore', 'y.csv');
    expect(readFileSync(join(clone.directory, 'y.csv'), 'utf8')).toContain('9999,more');
    expect(await clone.json('status')).toMatchObject({ clean: true });
    await expectSound(clone);
  });

  test('of a table that is not there says so', async () => {
    const scene = new RemoteScene();
    const { url } = await openHistory(scene);
    const shell = scene.shell('.');
    const { status, stderr } = await shell.run(['clone', '--table', 'z.csv', url, 'clone']);
    expect([status, stderr]).toEqual([0, "warning: there is no table 'z.csv' in main\n"]);
    const named = ['clone', '--table', 'x.csv', '--table', 'z.csv', url, 'other'];
    expect(await shell.json(...named)).toMatchObject({ absent: ['z.csv'] });
  });

  test('merges, switches and pulls', async () => {
    const scene = new RemoteScene();
    const { url, first } = await openHistory(scene);
    const clone = await scene.clone(url, 'clone', '--table', 'x.csv');
    await first.commit('y.csv', 'id,text\n1,one\n', 'Theirs');
    await first.commit('x.csv', `${ROWS}4,d\n`, 'Theirs too');
    await first.ok('push');
    await clone.commit('x.csv', 'id,name\n1,A\n2,b\n3,c\n4,d\n5,e\n', 'Mine');
    await clone.ok('pull');
    expect(existsSync(join(clone.directory, 'y.csv'))).toBe(false);
    expect(readFileSync(join(clone.directory, 'x.csv'), 'utf8')).toBe(
      'id,name\n1,A\n2,b\n3,c\n4,d\n',
    );
    await clone.ok('switch', '-q', '--detach', 'HEAD~2');
    await clone.ok('switch', '-q', 'main');
    await clone.ok('push');
    await expectSound(clone);
    await expectSound(scene.shell('shared'));
  });

  test('that cannot reach its remote names table and remote', async () => {
    const scene = new RemoteScene();
    const { url } = await openHistory(scene);
    const clone = await scene.clone(url, 'clone', '--table', 'x.csv');
    renameSync(url, `${url}-gone`);
    const offline = await failing(clone, 'restore', 'y.csv');
    expect(offline).toMatchObject({ status: 4, error: { code: 'remote-unreachable' } });
    const asked = await failing(clone, 'diff', 'HEAD~1', 'HEAD~2');
    expect(asked.error.message).toContain("'y.csv'");
    expect(asked.error.message).toContain("'origin'");
    await clone.ok('status');
    await clone.ok('diff', 'HEAD~1', '--', 'x.csv');
  });
});

/** Two processes and a free port: what is pushed to a server is what is cloned from it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/cli.ts';
import { commitOf, expectSound, failing, ROWS, RemoteScene } from '../support/remote-scene.ts';
import { startServeProcess } from '../support/server.ts';

const DATA = fileURLToPath(new URL('../../../shared/data', import.meta.url));

describe('over HTTP', () => {
  test('a push makes the repository, a clone is the same, a pull follows', async () => {
    const scene = new RemoteScene();
    const server = await startServeProcess(temporaryDirectory());
    const url = `${server.url}/team/cities`;
    const first = scene.shell('first');
    await first.ok('init', '--quiet');
    await first.commit('x.csv', ROWS, 'One');
    await first.ok('remote', 'add', 'origin', url);
    await first.ok('push', '-u', 'origin', 'main');
    const second = await scene.clone(url, 'second');
    expect(readFileSync(join(second.directory, 'x.csv'), 'utf8')).toBe(ROWS);
    await second.commit('x.csv', `${ROWS}4,d\n`, 'Two');
    await second.ok('push');
    await first.commit('x.csv', 'id,name\n1,A\n2,b\n3,c\n', 'Mine');
    expect((await failing(first, 'push')).error.code).toBe('not-fast-forward');
    expect(await first.json('push', '--merge')).toMatchObject({ refs: [{ outcome: 'merged' }] });
    await second.ok('pull');
    expect(await commitOf(second)).toBe(await commitOf(first));
    expect(await second.ok('hash', 'x.csv')).toBe(await first.ok('hash', 'x.csv'));
    await expectSound(first);
    await expectSound(second);
  });
});

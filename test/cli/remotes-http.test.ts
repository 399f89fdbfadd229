/** Two processes and a free port: what is pushed to a server is what is cloned from it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { initRepository } from '../../src/porcelain/open-repository.ts';
import { createTag } from '../../src/porcelain/tag.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { Shell } from '../support/everyday.ts';
import { commitOf, expectSound, failing, RemoteScene, ROWS } from '../support/remote-scene.ts';
import { testEnvironment } from '../support/repository.ts';
import { startServeProcess } from '../support/server.ts';

const DATA = join(import.meta.dirname, '../../../shared/data');
const SETS = ['crawlers', 'tzdb', 'spdx', 'bcd_support', 'cldr_dates'];

interface Truth {
  readonly primary_key: string[];
  readonly snapshots: readonly { readonly version: string; readonly file: string }[];
}

/** A repository with the published versions of a data set as commits and tags. */
async function publish(folder: string, set: string, directory: string): Promise<void> {
  const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Truth;
  const { repository } = await initRepository(directory, testEnvironment());
  const table = `${set}.csv`;
  for (const { version, file } of truth.snapshots) {
    const path = join(folder, file);
    const isPlain = existsSync(path);
    const bytes = readFileSync(isPlain ? path : `${path}.gz`);
    writeFileSync(join(directory, table), isPlain ? bytes : gunzipSync(bytes));
    await add(repository, [table], { key: truth.primary_key });
    await commit(repository, { message: version, skipEmpty: true });
    await createTag(repository, `v${version}`, 'HEAD');
  }
  await repository.close();
}

/** The hash of a table in every commit, newest first. */
async function tableHashes(shell: Shell, table: string): Promise<string[]> {
  const hashes: string[] = [];
  for (const one of (await shell.lines('log')) as { commit: string }[]) {
    hashes.push(await shell.ok('hash', `${one.commit}:${table}`));
  }
  return hashes;
}

describe.each(SETS)('the history of %s', (set) => {
  const folder = join(DATA, set);
  test.skipIf(!existsSync(join(folder, 'truth.json')))(
    'is pushed and cloned elsewhere',
    async () => {
      const scene = new RemoteScene();
      const served = temporaryDirectory();
      const server = await startServeProcess(served);
      const url = `${server.url}/${set}`;
      const first = scene.shell('first');
      await publish(folder, set, first.directory);
      await first.ok('remote', 'add', 'origin', url);
      await first.ok('push', '-u', '--all', '--tags');
      const clone = await scene.clone(url, 'clone');
      const expected = await tableHashes(first, `${set}.csv`);
      expect(expected.length).toBeGreaterThan(1);
      expect(await tableHashes(clone, `${set}.csv`)).toEqual(expected);
      expect(await clone.json('tag')).toEqual(await first.json('tag'));
      expect(await clone.ok('status')).toContain('working tree clean');
      await expectSound(clone);
      await server.stop();
      await expectSound(new Shell(join(served, set)));
    },
    120_000,
  );
});

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

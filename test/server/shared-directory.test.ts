/** Several servers, commands and working files on one directory. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseHash } from '../../src/hash.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { sendPack } from '../../src/sync/sender.ts';
import { runDv } from '../support/cli.ts';
import { PUSH_TYPE, PushSource, pushBody, rowsFrom } from '../support/push-source.ts';
import { startServeProcess, startServer } from '../support/server.ts';

async function push(url: string, body: Buffer) {
  const headers = { 'content-type': PUSH_TYPE };
  const response = await fetch(`${url}/push`, { method: 'POST', body, headers });
  return (await response.json()) as {
    outcomes: { status: string; code?: string; hint?: string }[];
  };
}

describe('two servers and commands on one directory', () => {
  test('lose nothing of what any of them accepted', async () => {
    await using source = await PushSource.open();
    const base = await source.commit(rowsFrom(0, 100));
    const { directory } = await startServer();
    const servers = [await startServeProcess(directory), await startServeProcess(directory)];
    const addressOf = (i: number) => `${servers[i % 2].url}/v1/repos/data`;
    await push(addressOf(0), await source.body(base, null));
    const bodies: Buffer[] = [];
    for (let i = 0; i < 12; i++) {
      const commit = await source.commit(rowsFrom(i * 2, 1, `push ${i}`));
      const pack = await source.body(commit, null, { ref: `refs/heads/b${i}` });
      bodies.push(pack);
    }
    const cwd = join(directory, 'data');
    const commands = [
      ['branch', 'made-here', base],
      ['tag', 'v1', base],
      ['gc'],
      ['fsck'],
      ['branch', 'another', base],
    ];
    const [outcomes, results] = await Promise.all([
      Promise.all(bodies.map((body, i) => push(addressOf(i), body))),
      Promise.all(commands.map((args) => runDv(args, { cwd }))),
    ]);
    for (const { status, stderr } of results)
      expect([status, stderr]).toMatchObject([0, expect.anything()]);
    for (const {
      outcomes: [one],
    } of outcomes)
      expect(one.status).toBe('ok');
    const refs = (await (await fetch(`${addressOf(1)}/refs`)).json()) as {
      refs: { name: string }[];
    };
    const names = [...bodies.keys()].map((i) => `refs/heads/b${i}`);
    expect(refs.refs.map(({ name }) => name).sort()).toEqual(
      [
        'refs/heads/another',
        'refs/heads/made-here',
        'refs/heads/main',
        'refs/tags/v1',
        ...names,
      ].sort(),
    );
    expect((await runDv(['fsck'], { cwd })).status).toBe(0);
    expect(await servers[0].stop()).toBe(143);
  });
});

describe('a push to the branch that working files show', () => {
  /** A served repository with `t.csv` on `main`, and a push of one more row to it. */
  async function scene(policy?: string) {
    const server = await startServer({ repositories: [] });
    const cwd = join(server.directory, 'work');
    execFileSync('mkdir', [cwd]);
    await runDv(['init', '--quiet'], { cwd });
    writeFileSync(join(cwd, 't.csv'), 'id,name\n1,a\n');
    await runDv(['add', 't.csv', '--key', 'id'], { cwd });
    await runDv(['commit', '-m', 'one'], { cwd });
    if (policy !== undefined) {
      await runDv(['config', 'receive.denyCurrentBranch', policy], { cwd });
    }
    const clone = join(server.directory, 'clone');
    execFileSync('cp', ['-r', cwd, clone]);
    writeFileSync(join(clone, 't.csv'), 'id,name\n1,a\n2,b\n');
    const made = await runDv(['commit', '-a', '-m', 'two', '--json'], { cwd: clone });
    const { stdout } = await runDv(['log', '--format', '%H'], { cwd: clone });
    expect([made.status, stdout.trim().split('\n')]).toMatchObject([0, { length: 2 }]);
    return { server, cwd, objects: join(clone, '.dv/store.db'), two: stdout.split('\n')[0] };
  }

  async function pushTo(url: string, two: string, clone: string) {
    const store = await openSqliteStore(clone, { now: Date.now });
    const pieces: Uint8Array[] = [];
    for await (const piece of sendPack(store, { wants: [parseHash(two)] })) pieces.push(piece);
    const entry = (await store.readLog('refs/heads/main', 1))[0];
    await store.close();
    const updates = [{ ref: 'refs/heads/main', old: entry.old, new: two, strategy: 'ff-only' }];
    return push(
      `${url}/v1/repos/work`,
      pushBody({ updates, atomic: false }, Buffer.concat(pieces)),
    );
  }

  test('is refused, with what to do', async () => {
    const { server, cwd, objects, two } = await scene();
    const { outcomes } = await pushTo(server.url, two, objects);
    expect(outcomes).toMatchObject([{ status: 'refused', code: 'push-refused' }]);
    expect(outcomes[0].hint).toContain('receive.denyCurrentBranch');
    expect(readFileSync(join(cwd, 't.csv'), 'utf8')).toBe('id,name\n1,a\n');
  });

  test('is taken with ignore, and the files stay', async () => {
    const { server, cwd, objects, two } = await scene('ignore');
    expect((await pushTo(server.url, two, objects)).outcomes).toMatchObject([{ status: 'ok' }]);
    expect(readFileSync(join(cwd, 't.csv'), 'utf8')).toBe('id,name\n1,a\n');
  });

  test('is taken with updateInstead, and the files follow; not over unsaved work', async () => {
    const { server, cwd, objects, two } = await scene('updateInstead');
    writeFileSync(join(cwd, 't.csv'), 'id,name\n1,unsaved\n');
    expect((await pushTo(server.url, two, objects)).outcomes).toMatchObject([
      { status: 'refused', code: 'push-refused' },
    ]);
    writeFileSync(join(cwd, 't.csv'), 'id,name\n1,a\n');
    expect((await pushTo(server.url, two, objects)).outcomes).toMatchObject([{ status: 'ok' }]);
    expect(readFileSync(join(cwd, 't.csv'), 'utf8')).toBe('id,name\n1,a\n2,b\n');
    const { stdout } = await runDv(['status', '--json'], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ clean: true });
  });

  test('says that the setting is none it knows', async () => {
    const { server, objects, two } = await scene('maybe');
    expect((await pushTo(server.url, two, objects)).outcomes).toMatchObject([
      { status: 'refused', code: 'bad-config' },
    ]);
  });
});

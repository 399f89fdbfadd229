/** No room at the server: a push fails with a clear error, nothing is kept, and later it works. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runDv, temporaryDirectory } from '../support/cli.ts';
import { PACK_TYPE, PUSH_TYPE, PushSource, rowsFrom } from '../support/push-source.ts';
import { startServer } from '../support/server.ts';

/** undefined where this process may not mount. */
function mountDisk(size: string): string | undefined {
  const path = join(temporaryDirectory(), 'disk');
  mkdirSync(path);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'dv-test', path]);
  if (process.platform !== 'linux' || mounted.status !== 0) return undefined;
  onTestFinished(() => {
    spawnSync('umount', ['-l', path]);
  });
  return path;
}

function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    // Full: what was wanted.
  } finally {
    closeSync(file);
  }
}

test('a push to a full disk', async (context) => {
  const disk = mountDisk('16m');
  if (disk === undefined) return context.skip('no right to mount');
  await using source = await PushSource.open();
  const { url } = await startServer({ directory: disk });
  const R = `${url}/v1/repos/data`;
  const noise = (from: number, count: number) =>
    rowsFrom(from, count, () => randomBytes(60).toString('base64'));
  const base = await source.commit(noise(0, 1000));
  const send = async (path: string, body: Uint8Array, type: string, method = 'POST') => {
    const response = await fetch(R + path, { method, body, headers: { 'content-type': type } });
    return [response.status, await response.json()] as [number, Record<string, unknown>];
  };
  expect((await send('/push', await source.body(base, null), PUSH_TYPE))[0]).toBe(200);

  const next = await source.commit(noise(1000, 8000));
  const body = await source.body(next, base);
  expect(body.length).toBeGreaterThan(400_000);
  const updates = [{ ref: 'refs/heads/main', old: base, new: next, strategy: 'ff-only' }];
  const open = Buffer.from(JSON.stringify({ updates, atomic: false, open: true }));
  const [, { id }] = await send('/push', open, 'application/json');
  const pack = await source.pack({ wants: [next], haves: [base] });
  fill(join(disk, 'filler'));
  const failures = [
    await send('/push', body, PUSH_TYPE),
    await send(`/push/${id}/segments/0`, pack, PACK_TYPE, 'PUT'),
    await send('/push', open, 'application/json'),
  ];
  for (const [status, said] of failures.slice(0, 2)) {
    expect([status, said]).toMatchObject([507, { error: { code: 'disk-full' } }]);
  }
  // A small row of state may still find room in the log.
  expect([201, 507]).toContain(failures[2][0]);
  expect(await (await fetch(`${R}/refs/heads/main`)).json()).toMatchObject({ hash: base });

  rmSync(join(disk, 'filler'));
  expect((await send(`/push/${id}/segments/0`, pack, PACK_TYPE, 'PUT'))[1]).toMatchObject({
    next: 1,
    pending: [],
  });
  const [, committed] = await send(`/push/${id}/commit`, Buffer.alloc(0), PACK_TYPE);
  expect(committed).toMatchObject({ outcomes: [{ status: 'ok', hash: next }] });
  expect((await runDv(['fsck'], { cwd: join(disk, 'data') })).status).toBe(0);
});

/** The one-liner of docs/live.md, run by a shell with curl. Skipped, and told so, without one. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { runDv, temporaryDirectory } from './support/cli.ts';
import { startServeProcess } from './support/server.ts';

const PAGE = fileURLToPath(new URL('../docs/live.md', import.meta.url));
const hasCurl = spawnSync('curl', ['--version']).status === 0;

test.skipIf(!hasCurl)('curl -N is told of a commit as it is made', async () => {
  const line = /^curl -N .*$/m.exec(readFileSync(PAGE, 'utf8'))?.[0] ?? '';
  expect(line).toContain('/v1/repos/cities/watch');
  const directory = temporaryDirectory();
  const cwd = join(directory, 'cities');
  const dv = async (...args: readonly string[]) => {
    const { status, stderr } = await runDv(args, { cwd });
    expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' });
  };
  await runDv(['init', '--quiet', 'cities'], { cwd: directory });
  writeFileSync(join(cwd, 'cities.csv'), 'id,name\n1,Ulm\n');
  await dv('add', 'cities.csv');
  await dv('commit', '--quiet', '-m', 'first');
  const { url } = await startServeProcess(directory);
  const curl = spawn('sh', ['-c', `exec ${line}`], { env: { ...process.env, SERVER: url } });
  onTestFinished(() => {
    curl.kill('SIGKILL');
  });
  let told = '';
  curl.stdout.on('data', (bytes) => {
    told += bytes;
  });
  await expect.poll(() => told, { timeout: 20_000 }).toContain('event: bookmark');
  appendFileSync(join(cwd, 'cities.csv'), '2,Bonn\n');
  await dv('add', '--quiet', 'cities.csv');
  await dv('commit', '--quiet', '-m', 'a city more');
  await expect
    .poll(() => told, { timeout: 20_000 })
    .toMatch(/event: commit\ndata: \{.*"message":"a city more".*"added":1.*\}\n\n$/);
});

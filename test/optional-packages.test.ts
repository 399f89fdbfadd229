/**
 * Without the packages that carry native code of their own (zstd-napi, and the binary behind
 * @napi-rs/blake-hash) dv works all the same, on the same repositories.
 */
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DV, type RunResult, runDv, runProgram, temporaryDirectory } from './support/cli.ts';

const ROOT = join(import.meta.dirname, '..');
const ABSENT = new Set(['zstd-napi', '@napi-rs', '@platformatic']);

/** An installed dv whose node_modules lack the optional packages. */
function installWithout(directory: string): string {
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(ROOT, part), join(directory, part), { recursive: true });
  }
  mkdirSync(join(directory, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (ABSENT.has(name) || name.startsWith('.')) continue;
    symlinkSync(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name));
  }
  return join(directory, 'bin/dv');
}

const rows = (mark: string): string =>
  `id,name\n${Array.from({ length: 20_000 }, (_, i) => `${i},${i % 4000 === 0 ? mark : `name ${i}`}`).join('\n')}\n`;

test('dv works without its optional packages, on repositories made with them', async () => {
  const bare = installWithout(temporaryDirectory());
  const cwd = temporaryDirectory();
  const with_ = (...args: string[]): Promise<RunResult> => runDv(args, { cwd });
  const without = (...args: string[]): Promise<RunResult> => runProgram(bare, args, { cwd });
  const succeed = async (run: Promise<RunResult>): Promise<string> => {
    const { status, stdout, stderr } = await run;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    return stdout.trim();
  };
  expect(DV).not.toBe(bare);
  await succeed(with_('init'));
  const hashes: string[] = [];
  // Each writes a version that the other builds on: hashes and deltas must be shared.
  for (const [mark, dv] of [
    ['one', with_],
    ['two', without],
    ['three', with_],
    ['four', without],
  ] as const) {
    writeFileSync(join(cwd, 't.csv'), rows(mark));
    await succeed(dv('add', 't.csv'));
    await succeed(dv('commit', '-m', mark));
    hashes.push(await succeed(without('hash', 'HEAD:t.csv')));
    expect(await succeed(with_('hash', 'HEAD:t.csv'))).toBe(hashes.at(-1));
  }
  expect(new Set(hashes).size).toBe(4);
  for (const dv of [with_, without]) {
    await succeed(dv('fsck'));
    expect(`${await succeed(dv('export', 'HEAD~2:t.csv'))}\n`).toBe(rows('two'));
    const stat = JSON.parse(await succeed(dv('diff', '--stat', '--json', 'HEAD~3', 'HEAD')));
    expect(stat.tables).toMatchObject([{ table: 't.csv', added: 0, removed: 0, modified: 5 }]);
  }
});

test('what needs Kafka says which package to install', async () => {
  const bare = installWithout(temporaryDirectory());
  const cwd = temporaryDirectory();
  await runDv(['init', '--quiet'], { cwd });
  for (const args of [
    ['ingest', 't', '--from', 'kafka:127.0.0.1:1/t'],
    ['watch', 'main', '--to', 'kafka:127.0.0.1:1/t'],
  ]) {
    const { status, stderr } = await runProgram(bare, args, { cwd });
    expect(status).toBe(3);
    expect(stderr).toContain('the package "@platformatic/kafka" is not installed');
    expect(stderr).toContain('npm install @platformatic/kafka');
  }
});

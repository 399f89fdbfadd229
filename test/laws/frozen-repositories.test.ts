/**
 * Repositories of every store format there was, as old versions of dv left them, still open,
 * are sound and say what they said. How each was made: fixtures/repositories/make.sh.
 */
import { copyFileSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashOf } from '../../src/hash.ts';
import { runDv, temporaryDirectory } from '../support/cli.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/repositories');
/** Longer output stands in a transcript as its hash. */
const SHORT = 600;

/** A copy of a frozen repository, its working files not written. */
function thaw(folder: string): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, '.dv'));
  copyFileSync(join(folder, 'store.db'), join(directory, '.dv', 'store.db'));
  return directory;
}

/** The commands of a transcript with what they print now, in its form. */
async function replay(directory: string, transcript: string): Promise<string> {
  let text = '';
  for (const [line, command] of transcript.matchAll(/^\$ dv (.*)\n/gm)) {
    const { status, stdout, stderr } = await runDv(command.split(' '), { cwd: directory });
    const failure = status === 0 ? '' : `[${status}] ${stderr}`;
    text += line + (stdout.length > SHORT ? digest(stdout) : stdout) + failure;
  }
  return text;
}

const digest = (text: string): string =>
  `(${text.length} characters, ${hashOf(Buffer.from(text))})\n`;

describe.each(globSync('v*', { cwd: FIXTURES }).sort())('%s', (version) => {
  const folder = join(FIXTURES, version);
  const transcript = readFileSync(join(folder, 'transcript.txt'), 'utf8');

  test('every command of the transcript prints what it printed', async () => {
    expect(await replay(thaw(folder), transcript)).toBe(transcript);
  });

  test('its working files come back, and it takes another commit', async () => {
    const cwd = thaw(folder);
    const ok = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await runDv(args, { cwd });
      expect({ args, status, stderr }).toMatchObject({ status: 0 });
      return stdout;
    };
    await ok('restore', '.');
    expect(await ok('status', '--short')).toBe('M  prices.ndjson\n');
    await ok('commit', '-m', 'One more');
    await ok('switch', 'edits');
    expect(readFileSync(join(cwd, 'notes.txt'))).toHaveLength(300_000);
    expect(readFileSync(join(cwd, 'zones.csv'), 'utf8')).toBe(
      await ok('export', 'edits:zones.csv'),
    );
    expect(await ok('fsck')).toMatch(/: sound\n$/);
  });
});

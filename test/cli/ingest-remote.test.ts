/** `dv ingest --remote` into a branch that is there, or is not yet. */
import { describe, expect, it } from 'vitest';
import { runDv, temporaryDirectory } from '../support/cli.ts';
import { startServer } from '../support/server.ts';

const FIRST = '{"id":1,"name":"a"}\n';
const SECOND = '{"id":2,"name":"b"}\n';

async function scene() {
  const { url } = await startServer();
  const cwd = temporaryDirectory();
  const remote = `${url}/data`;
  const run = (args: readonly string[], input = '') => runDv(args, { cwd, input });
  const ingest = async (input: string, ...more: string[]) =>
    run(['ingest', 't', '--key', 'id', '--remote', remote, ...more], input);
  let clones = 0;
  /** The rows of a branch there, or what is said instead. */
  const rowsOf = async (branch: string) => {
    const clone = `clone-${clones++}`;
    const cloned = await run(['clone', '-q', '-b', branch, remote, clone]);
    if (cloned.status !== 0) return cloned.stderr;
    const { stdout } = await run(['-C', clone, 'export', 'HEAD:t', '--format', 'ndjson']);
    return stdout;
  };
  const branches = async () => {
    const { stdout } = await run(['ls-remote', '--heads', remote]);
    return [...stdout.matchAll(/refs\/heads\/\S+/g)].map(([name]) => name);
  };
  return { run, ingest, rowsOf, branches, remote };
}

describe('ingest --remote', () => {
  it('makes a branch at the branch of HEAD, and leaves that', async () => {
    const { ingest, rowsOf, branches } = await scene();
    expect(await ingest(FIRST)).toMatchObject({ status: 0, stderr: '' });
    expect(await ingest(SECOND, '--branch', 'more')).toMatchObject({ status: 0, stderr: '' });
    expect(await branches()).toEqual(['refs/heads/main', 'refs/heads/more']);
    expect(await rowsOf('main')).toBe(FIRST);
    expect(await rowsOf('more')).toBe(FIRST + SECOND);
    expect(await ingest('{"id":3,"name":"c"}\n', '--branch', 'more')).toMatchObject({ status: 0 });
    expect(await rowsOf('more')).toBe(`${FIRST}${SECOND}{"id":3,"name":"c"}\n`);
  });

  it('makes a branch of nothing where the repository has no commit', async () => {
    const { ingest, rowsOf, branches } = await scene();
    expect(await ingest(FIRST, '--branch', 'new')).toMatchObject({ status: 0, stderr: '' });
    expect(await branches()).toEqual(['refs/heads/new']);
    expect(await rowsOf('new')).toBe(FIRST);
  });

  it('makes none for what it does not write', async () => {
    const { ingest, branches } = await scene();
    expect(await ingest(FIRST)).toMatchObject({ status: 0 });
    expect(await ingest(SECOND, '--branch', 'dry', '--dry-run')).toMatchObject({ status: 0 });
    expect(await ingest('', '--branch', 'nothing')).toMatchObject({ status: 0 });
    const bad = await ingest('{"name":"without a key"}\n', '--branch', 'bad');
    expect(bad.status).toBe(3);
    const named = await ingest(SECOND, '--branch', 'no..name');
    expect(named.status).not.toBe(0);
    expect(named.stderr).toContain('no..name');
    expect(await branches()).toEqual(['refs/heads/main']);
  });

  it('goes into one that several make at once', async () => {
    const { ingest, rowsOf } = await scene();
    expect(await ingest(FIRST)).toMatchObject({ status: 0 });
    const lines = [2, 3, 4].map((id) => `{"id":${id},"name":"x"}\n`);
    const results = await Promise.all(lines.map((line) => ingest(line, '--branch', 'at-once')));
    expect(results.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(await rowsOf('at-once')).toBe(FIRST + lines.join(''));
  });
});

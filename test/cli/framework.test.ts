/** The command line around the commands, as real processes see it. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { renderReference } from '../../src/cli/reference.ts';
import { COMMANDS } from '../../src/cli/registry.ts';
import { DV, runDv, runProgram, temporaryDirectory, testEnvironment } from '../support/cli.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ESCAPE = '\x1b[';

describe('help and version', () => {
  test.each([[['--version']], [['-v']], [['version']]])('%j', async (args) => {
    const { status, stdout, stderr } = await runDv(args);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `dv ${manifest.version}\n`,
      stderr: '',
    });
  });

  test('every command is in the general help, in one line', async () => {
    const { status, stdout } = await runDv(['--help']);
    expect(status).toBe(0);
    for (const [name, { summary }] of Object.entries(COMMANDS)) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +${summary.replace(/[()]/g, '\\$&')}$`, 'm'));
    }
    expect((await runDv(['help'])).stdout).toBe(stdout);
  });

  test('without a command the help is a complaint', async () => {
    const { status, stdout, stderr } = await runDv([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('Usage: dv');
  });

  test('of one command, asked in three ways', async () => {
    const asked = await Promise.all([
      runDv(['help', 'config']),
      runDv(['config', '--help']),
      runDv(['--help', 'config']),
    ]);
    for (const { status, stdout } of asked) {
      expect(status).toBe(0);
      expect(stdout).toBe(asked[0].stdout);
    }
    expect(asked[0].stdout).toMatch(/^Usage: dv config /);
    expect(asked[0].stdout).toContain('Examples:');
    expect(asked[0].stdout).not.toMatch(/.{81}/);
  });

  test('for programs', async () => {
    const { stdout } = await runDv(['help', '--json']);
    const { commands } = JSON.parse(stdout);
    expect(commands.map(({ name }: { name: string }) => name)).toEqual(
      Object.keys(COMMANDS).sort(),
    );
    expect(JSON.parse((await runDv(['version', '--json'])).stdout)).toEqual({
      version: manifest.version,
    });
  });

  test('docs/cli.md is what `npm run docs` would write', async () => {
    expect(readFileSync(join(ROOT, 'docs/cli.md'), 'utf8')).toBe(await renderReference(COMMANDS));
  });
});

describe('a wrong command line ends with 2 and a hint', () => {
  const cases: readonly [args: string[], error: string, hint: string][] = [
    [['confg'], "unknown command 'confg'", 'did you mean dv config?'],
    [['zzzzzz'], "unknown command 'zzzzzz'", 'dv help'],
    [['constructor'], "unknown command 'constructor'", 'dv help'],
    [['help', 'verson'], "unknown command 'verson'", 'did you mean dv version?'],
    [['--nope', 'config'], "unknown option '--nope' before the command", 'dv --help'],
    [['config', '--golbal'], "unknown option '--golbal'", 'did you mean --global?'],
    [['version', 'extra'], 'too many arguments', 'dv help version'],
    [['completion'], "missing required argument 'shell'", 'dv help completion'],
    [['--color=pink', 'version'], "'--color=pink' is not a choice", '--color=auto'],
    [['version', '--color=pink'], "'--color=pink' is not a choice", '--color=auto'],
    [['-C'], "'-C' needs a directory", 'dv -C DIR'],
  ];
  test.each(cases)('%j', async (args, error, hint) => {
    const { status, stdout, stderr } = await runDv(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    const [first, second] = stderr.split('\n');
    expect(first).toMatch(/^error: /);
    expect(first).toContain(error);
    expect(second).toMatch(/^hint: /);
    expect(second).toContain(hint);
  });

  test.each([[['--json', 'confg']], [['confg', '--json']], [['config', '--json', '--golbal']]])(
    'for programs the error is on standard output: %j',
    async (args) => {
      const { status, stdout, stderr } = await runDv(args);
      expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
      const { error } = JSON.parse(stdout);
      expect(['unknown-command', 'bad-option']).toContain(error.code);
      expect(error.message).toContain("'");
      expect(error.hint).toContain('did you mean');
    },
  );

  test('--json behind -- is no flag', async () => {
    const { status, stdout, stderr } = await runDv(['version', '--', '--json']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('too many arguments');
  });
});

test('-C runs elsewhere, each from the one before', async () => {
  const home = temporaryDirectory();
  mkdirSync(join(home, 'a', 'b'), { recursive: true });
  const missing = await runDv(['-C', 'a', '-C', 'c', 'config', 'list'], { cwd: home });
  expect(missing.status).toBe(2);
  expect(missing.stderr).toContain(join(home, 'a', 'c'));
  const there = await runDv(['-C', 'a', '-C', 'b', 'config', 'a.b', 'c'], { cwd: home });
  expect(there.stderr).toContain(`no dv repository here or above: '${join(home, 'a', 'b')}'`);
});

describe('colour', () => {
  const complaint = async (args: string[], env: Record<string, string>) =>
    (await runDv([...args, 'confg'], { env })).stderr.includes(ESCAPE);

  test.each([
    ['none in a pipe', [], {}, false],
    ['forced', [], { FORCE_COLOR: '1' }, true],
    ['NO_COLOR beats FORCE_COLOR', [], { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    ['an empty NO_COLOR is none', [], { FORCE_COLOR: '1', NO_COLOR: '' }, true],
    ['FORCE_COLOR=0 is none', [], { FORCE_COLOR: '0' }, false],
    ['--color beats NO_COLOR', ['--color'], { NO_COLOR: '1' }, true],
    ['--color=never beats FORCE_COLOR', ['--color=never'], { FORCE_COLOR: '1' }, false],
    ['--no-color', ['--no-color'], { FORCE_COLOR: '1' }, false],
  ])('%s', async (_name, args, env, colored) => {
    expect(await complaint(args, env)).toBe(colored);
  });

  test('--color behind a command does not take the next word for its value', async () => {
    const { status, stderr } = await runDv(['help', '--color', 'confg']);
    expect(status).toBe(2);
    expect(stderr).toContain("unknown command 'confg'");
  });
});

describe('output', () => {
  /** Runs dv with a reader of its standard output that has gone before dv starts to write. */
  function runWithoutReader(args: string[]): Promise<{ status: number | null; stderr: string }> {
    const child = spawn(DV, args, { env: testEnvironment('/'), stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (bytes) => {
      stderr += bytes;
    });
    return new Promise((resolve) => {
      child.on('close', (status) => resolve({ status, stderr }));
    });
  }

  test.each([[['help']], [['--json', 'confg']]])('nobody reads: %j is quiet', async (args) => {
    const { status, stderr } = await runWithoutReader(args);
    expect(stderr).toBe('');
    expect(status).toBe(args.includes('confg') ? 2 : 0);
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk is an error', async () => {
    const { status, stderr } = await runProgram('sh', ['-c', `${DV} help > /dev/full`]);
    expect(status).toBe(3);
    expect(stderr).toContain('error: cannot write to standard output');
  });

  test('a closed standard output is nobody reading', async () => {
    const { status, stderr } = await runProgram('sh', ['-c', `${DV} help >&-`]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('completion', () => {
  /** What bash offers behind these words. */
  async function complete(...words: string[]): Promise<string[]> {
    const script = [
      `source <('${DV}' completion bash)`,
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
      `COMP_CWORD=${words.length - 1}`,
      '_dv',
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ].join('\n');
    const { stdout } = await runProgram('bash', ['-c', script]);
    return stdout.split('\n').filter((line) => line !== '');
  }

  test('of commands and options in bash', async () => {
    expect(await complete('dv', 'con')).toEqual(['config', 'conflicts']);
    expect(await complete('dv', '-C', 'dir', '--json', 'ver')).toEqual(['version']);
    expect(await complete('dv', 'config', '--g')).toEqual(['--global']);
    expect(await complete('dv', 'config', '--j')).toEqual(['--json']);
    expect(await complete('dv', 'help', 'comp')).toEqual(['completion']);
    expect(await complete('dv', '--ver')).toEqual(['--version']);
  });

  test('scripts for the other shells name every command', async () => {
    for (const shell of ['zsh', 'fish']) {
      const { status, stdout } = await runDv(['completion', shell]);
      expect(status).toBe(0);
      for (const name of Object.keys(COMMANDS)) expect(stdout).toContain(name.split(' ')[0]);
    }
    expect((await runDv(['completion', 'csh'])).status).toBe(2);
  });
});

describe('start', () => {
  /** A Node that says it is another: what an old one would make of start.cjs. */
  function runAs(version: string) {
    const pretend = `Object.defineProperty(process.versions,'node',{value:'${version}'})`;
    return runDv(['version'], {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${pretend}` },
    });
  }

  test.each(['18.20.0', '20.20.2', '22.18.0'])('Node %s is told what dv needs', async (version) => {
    const { status, stdout, stderr } = await runAs(version);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: `dv: needs Node 22.19 or newer, and this is ${version}\n`,
    });
  });

  test.each(['22.19.0', '23.0.0', '100.0.0'])('Node %s will do', async (version) => {
    expect((await runAs(version)).status).toBe(0);
  });

  /** A package with nothing but the script: `files` are put beside it. */
  function makePackage(files: Record<string, string>): string {
    const root = temporaryDirectory();
    mkdirSync(join(root, 'bin'));
    copyFileSync(DV, join(root, 'bin', 'dv'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
      chmodSync(join(root, path), 0o755);
    }
    return root;
  }
  /** Says where it lies and what it got behind its own flag and the program. */
  const FAKE_NODE = '#!/bin/sh\nshift 2\necho "$0:$*"\n';

  test('through chains of links, as npm makes them', async () => {
    const root = makePackage({});
    mkdirSync(join(root, 'a b'));
    symlinkSync(DV, join(root, 'absolute'));
    symlinkSync('../absolute', join(root, 'a b', 'relative'));
    for (const path of [join(root, 'absolute'), join(root, 'a b', 'relative')]) {
      expect((await runProgram(path, ['version'])).stdout).toBe(`dv ${manifest.version}\n`);
    }
    const found = await runProgram('sh', ['-c', 'relative version'], {
      env: { PATH: `${join(root, 'a b')}:${process.env.PATH}` },
    });
    expect(found.stdout).toBe(`dv ${manifest.version}\n`);
  });

  test('loads nothing that it does not need', async () => {
    const probe = join(temporaryDirectory(), 'probe.cjs');
    writeFileSync(
      probe,
      `process.on('exit', () => require('node:fs').writeSync(2, JSON.stringify({
        own: process.moduleLoadList, files: Object.keys(require.cache) })));`,
    );
    const { stderr } = await runDv(['config', 'list'], {
      cwd: temporaryDirectory(),
      env: { NODE_OPTIONS: `--require=${probe}` },
    });
    const { own, files } = JSON.parse(stderr);
    for (const heavy of [
      'crypto',
      'net',
      'child_process',
      'stream',
      'fs/promises',
      'worker_threads',
    ]) {
      expect(own).not.toContain(`NativeModule ${heavy}`);
    }
    expect(files).toEqual([probe, join(ROOT, 'dist/start.cjs'), join(ROOT, 'dist/main.cjs')]);
  });

  test('prefers the Node of the package, and passes the words on as they are', async () => {
    const root = makePackage({
      'dist/start.cjs': '',
      'node_modules/node/bin/node': FAKE_NODE,
      'path/node': FAKE_NODE,
    });
    const run = () =>
      runProgram(join(root, 'bin', 'dv'), ['a  b', '*'], {
        env: { PATH: `${join(root, 'path')}:${process.env.PATH}` },
      });
    expect((await run()).stdout).toMatch(/node_modules\/node\/bin\/node:a {2}b \*\n$/);
    chmodSync(join(root, 'node_modules/node/bin/node'), 0o644);
    expect((await run()).stdout).toMatch(/path\/node:a {2}b \*\n$/);
  });

  test('without a Node, or before a build, says so in one line', async () => {
    const empty = makePackage({});
    const unbuilt = await runProgram(join(empty, 'bin', 'dv'), []);
    expect(unbuilt.status).toBe(70);
    expect(unbuilt.stderr).toMatch(/^dv: not built: [^\n]+\n$/);
    const root = makePackage({ 'dist/start.cjs': '' });
    const alone = await runProgram(join(root, 'bin', 'dv'), [], { env: { PATH: root } });
    expect(alone.status).toBe(2);
    expect(alone.stderr).toMatch(/^dv: needs Node 22.19 or newer, [^\n]+\n$/);
  });
});

describe('the end', () => {
  const HOST = JSON.stringify(join(ROOT, 'src/cli/process-host.ts'));
  const MAIN = JSON.stringify(join(ROOT, 'src/cli/main.ts'));
  const OPEN = `
    import { ProcessHost } from ${HOST};
    import { watchSignals, watchStrayErrors } from ${MAIN};
    import { writeSync } from 'node:fs';
    const host = new ProcessHost([]);
    const context = await host.openContext({ directories: [], json: false, quiet: false, color: 'auto' });
    context.atEnd(async () => { await null; writeSync(1, 'closed first\\n'); });
    context.atEnd(() => writeSync(1, 'closed last\\n'));
    setInterval(() => undefined, 1000);`;

  function startScript(script: string) {
    return spawn(process.execPath, ['--input-type=module', '-e', OPEN + script], {
      env: testEnvironment('/'),
    });
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s closes what is open, and ends with %d', async (signal, expected) => {
    const child = startScript(`watchSignals(host); writeSync(1, 'ready\\n');`);
    let stdout = '';
    child.stdout.on('data', (bytes) => {
      stdout += bytes;
      if (stdout === 'ready\n') child.kill(signal);
    });
    const status = await new Promise((resolve) => {
      child.on('close', resolve);
    });
    expect({ status, stdout }).toEqual({
      status: expected,
      stdout: 'ready\nclosed last\nclosed first\n',
    });
  });

  test('an error that nobody caught is a bug of dv, with its stack', async () => {
    const child = startScript(`
      watchStrayErrors(host, []);
      setImmediate(function inTheDark() { throw new TypeError('no such thing'); });`);
    let stderr = '';
    child.stderr.on('data', (bytes) => {
      stderr += bytes;
    });
    const status = await new Promise((resolve) => {
      child.on('close', resolve);
    });
    expect(status).toBe(70);
    expect(stderr).toMatch(/^error: no such thing\n/);
    expect(stderr).toContain('inTheDark');
    expect(stderr).toContain('this is a bug in dv');
  });
});

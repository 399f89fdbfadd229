/**
 * Real servers for tests: one in this process on a free port, and `dv serve` as a process.
 * Both serve a temporary directory and end with the test.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { Environment } from '../../src/porcelain/environment.ts';
import { initRepository } from '../../src/porcelain/open-repository.ts';
import { serveDirectory } from '../../src/porcelain/serve-directory.ts';
import { createToken, tokenFile } from '../../src/porcelain/token-file.ts';
import { FileTokenVerifier } from '../../src/porcelain/token-verifier.ts';
import { createServer, type DvServer } from '../../src/server/app.ts';
import type { ServerOptions } from '../../src/server/contract.ts';
import type { TokenKind } from '../../src/sync/access-token.ts';
import { testEnvironment as cliEnvironment, DV } from './cli.ts';

export type LogEntry = Readonly<Record<string, unknown>>;

export interface TestServer {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly port: number;
  readonly server: DvServer;
  /** What is served; repositories are directories in it. */
  readonly directory: string;
  /** What the server logged so far. */
  readonly log: readonly LogEntry[];
  /** Makes a bare repository in `directory`. */
  addRepository(name: string): Promise<void>;
  /** Serves a copy of the repository in another directory. */
  addCopy(from: string, name: string): Promise<void>;
  /** A token for it; from the first on the server wants one. */
  addToken(kind: TokenKind, repositories?: string): string;
  /** Idempotent; also at the end of the test. */
  close(): Promise<void>;
}

export interface TestServerOptions extends Partial<Omit<ServerOptions, 'directory' | 'tokens'>> {
  /** Default: a new one, removed after the test. */
  readonly directory?: string;
  /** Repositories to make; default one, `data`. */
  readonly repositories?: readonly string[];
}

/** The world of a server in a test: the real clock. */
export function serverWorld(): Environment {
  return {
    now: Date.now,
    zone: () => 0,
    randomId: () => randomBytes(8).toString('hex'),
    variables: {},
    userConfig: undefined,
    owner: `${process.pid} on test, dv serve`,
    isAlive: () => true,
    lockTimeout: 10_000,
    report: () => {},
  };
}

export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'dv-server-'));
  const world = serverWorld();
  const log: LogEntry[] = [];
  const server = createServer({
    open: true,
    ...options,
    directory: serveDirectory(directory, world),
    tokens: new FileTokenVerifier(tokenFile(directory), Date.now, (error) => {
      log.push({ level: 'error', message: String(error) });
    }),
    environment: {
      now: Date.now,
      monotonic: () => performance.now() / 1000,
      randomId: world.randomId,
      random: randomBytes,
      log: (entry) => log.push(entry),
      software: 'dv test',
    },
  });
  const addRepository = async (name: string) => {
    const { repository } = await initRepository(join(directory, name), world, { bare: true });
    await repository.close();
  };
  for (const name of options.repositories ?? ['data']) await addRepository(name);
  const port = await server.listen('127.0.0.1', 0);
  const close = async () => {
    await server.stop();
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
  };
  onTestFinished(close);
  const scheme = options.tls === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    server,
    directory,
    log,
    addRepository,
    addCopy: (from, name) => cp(from, join(directory, name), { recursive: true }),
    addToken: (kind, repositories = '*') => {
      const facts = { kind, name: `${kind} of the test`, repositories, expires: null };
      return createToken(tokenFile(directory), facts, { now: Date.now(), random: randomBytes })
        .token;
    },
    close,
  };
}

export interface ServeProcess {
  readonly url: string;
  readonly pid: number;
  readonly repositories: readonly { readonly name: string; readonly url: string }[];
  /** All of standard error so far. */
  stderr(): string;
  /** Sends a signal and waits for the end: the exit status, or the signal's number and 128. */
  stop(signal?: NodeJS.Signals): Promise<number>;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** `dv serve DIR ...args` on a free port, once it listens. */
export async function startServeProcess(
  directory: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<ServeProcess> {
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const child = spawn(DV, ['serve', directory, '--json', ...listen, ...args], {
    env: cliEnvironment(directory, environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    const [status, by] = await ended;
    return status ?? 128 + (SIGNAL_NUMBERS[by ?? ''] ?? 0);
  };
  onTestFinished(async () => {
    await stop('SIGKILL');
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [unknown];
  if (typeof line !== 'string' || !line.includes('listening')) {
    throw new Error(`dv serve did not start: ${String(line)} ${stderr}`);
  }
  const { listening, repositories } = JSON.parse(line);
  return { url: listening, repositories, pid: child.pid as number, stderr: () => stderr, stop };
}

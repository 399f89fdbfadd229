/**
 * `dv serve [DIR]`: a server of the repository DIR, or of every repository below it, until it
 * is told to stop (SIGINT, SIGTERM). JSON, one line when it listens:
 * `{"listening":"http://127.0.0.1:7420","repositories":[{"name","url"}]}`.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, watchFile } from 'node:fs';
import { resolve } from 'node:path';
import { DvError } from '../../errors.ts';
import { type ServedDirectory, serveDirectory } from '../../porcelain/serve-directory.ts';
import { hasTokens, tokenFile } from '../../porcelain/token-file.ts';
import { FileTokenVerifier } from '../../porcelain/token-verifier.ts';
import { createServer, type DvServer } from '../../server/app.ts';
import type { ServerEnvironment } from '../../server/contract.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { VERSION } from '../version.ts';
import { type LogEntry, openLog, parseLogForm } from './serve-log.ts';
import { mayBeOpen, parseListen } from './serve-options.ts';

interface Options {
  readonly listen?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly behindProxy?: boolean;
  readonly allowOrigin?: readonly string[];
  readonly rate?: string;
  readonly log?: string;
}

const LOG_TEXT = 'json, text or none (default: text on a terminal, else json)';

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Serve the repository DIR, or every repository below it, for dv clone, fetch, pull, ' +
          'push and watch, and for programs over HTTP. A repository that somebody who may ' +
          'pushes to and that is not there yet is made, as DIR/NAME/.dv. Without tokens (dv ' +
          'token create) only this machine is served, and anybody on it may do everything; ' +
          'other addresses need tokens, and TLS here or at a proxy. SIGINT and SIGTERM let ' +
          'what is in flight end; SIGHUP reads the certificate again, as does its change.',
      )
      .argument('[directory]', 'a repository, or a directory of them; default the one you are in')
      .option('--listen <host:port>', 'where to listen (default: 127.0.0.1:7420)')
      .option('--tls-cert <file>', 'certificate chain, PEM')
      .option('--tls-key <file>', 'private key of it, PEM')
      .option('--behind-proxy', 'TLS is done in front; the caller is in x-forwarded-for')
      .option('--allow-origin <origin...>', 'web pages that may use the server')
      .option('--rate <n>', 'requests a second of one caller (default: 2000; 0: no limit)')
      .option('--log <form>', LOG_TEXT);
  },
  examples: [
    ['dv serve', 'clone it elsewhere on this machine: dv clone http://127.0.0.1:7420/NAME'],
    ['dv serve /srv/data --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem', 'for all'],
  ],
  async run(context, { operands: [directory = '.'], options }) {
    const top = resolve(context.cwd, directory);
    const served = serveDirectory(top, context.environment);
    const log = openLog(parseLogForm(options.log, process.stderr.isTTY), process.stderr, Date.now);
    const { server, scheme } = prepare(context, options, top, served, log);
    context.atEnd(() => server.stop());
    const { host, port } = parseListen(options.listen);
    const listening = await server.listen(host, port);
    const base = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${listening}`;
    await announce(context, base, served);
    log({ level: 'info', event: 'listening', message: base });
    await new Promise<never>(() => {}); // a signal ends it (main.ts), by way of `atEnd`
    return 0;
  },
};

function prepare(
  context: Context,
  options: Options,
  top: string,
  directory: ServedDirectory,
  log: (entry: LogEntry) => void,
): { server: DvServer; scheme: string } {
  const tls = readCertificate(context, options);
  const file = tokenFile(top);
  const behindProxy = options.behindProxy ?? false;
  const exposure = { hasTls: tls !== undefined, behindProxy, hasTokens: hasTokens(file) };
  const open = mayBeOpen({ address: parseListen(options.listen), ...exposure });
  if (open) {
    context.note('note: there are no tokens, so anybody on this machine may do everything');
  }
  const report = (error: unknown) =>
    log({ level: 'error', event: 'tokens', message: (error as Error).message });
  const tokens = new FileTokenVerifier(file, Date.now, report);
  const server = createServer({
    directory,
    tokens,
    open,
    behindProxy,
    tls,
    origins: options.allowOrigin,
    http: options.rate === undefined ? {} : rateOf(options.rate),
    environment: serverEnvironment(context, log),
  });
  if (tls !== undefined) followCertificate(context, options, server, log);
  return { server, scheme: tls === undefined ? 'http' : 'https' };
}

function serverEnvironment(context: Context, log: (entry: LogEntry) => void): ServerEnvironment {
  return {
    now: context.environment.now,
    monotonic: () => performance.now() / 1000,
    randomId: context.environment.randomId,
    random: randomBytes,
    log,
    software: `dv ${VERSION}`,
  };
}

async function announce(context: Context, base: string, served: ServedDirectory): Promise<void> {
  const names = await served.list();
  const repositories = names.map((name) => ({ name, url: `${base}/${encodeURI(name)}` }));
  if (context.json) context.out.json({ listening: base, repositories });
  else if (!context.quiet) {
    for (const { url } of repositories) context.out.line(context.shownLine(url));
    if (!served.single) context.out.line(`${base}/NAME for a new one, made by the first push`);
  }
  await context.out.flush();
}

/** @throws DvError `bad-option`, `file-unreadable` */
function readCertificate(
  context: Context,
  { tlsCert, tlsKey }: Options,
): { cert: Buffer; key: Buffer } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new DvError('bad-option', "'--tls-cert' and '--tls-key' are given together");
  }
  const read = (file: string) => {
    try {
      return readFileSync(resolve(context.cwd, file));
    } catch (cause) {
      throw new DvError('file-unreadable', `cannot read '${file}'`, { data: { file }, cause });
    }
  };
  return { cert: read(tlsCert), key: read(tlsKey) };
}

/** New connections get a certificate that was replaced; a bad one is logged and not taken. */
function followCertificate(
  context: Context,
  options: Options,
  server: DvServer,
  log: (entry: LogEntry) => void,
): void {
  const reload = () => {
    try {
      const tls = readCertificate(context, options);
      if (tls !== undefined) server.replaceCertificate(tls);
      log({ level: 'info', event: 'certificate', message: 'read again' });
    } catch (error) {
      log({ level: 'error', event: 'certificate', message: (error as Error).message });
    }
  };
  process.removeAllListeners('SIGHUP'); // main.ts ends the process at one
  process.on('SIGHUP', reload);
  for (const file of [options.tlsCert, options.tlsKey] as string[]) {
    watchFile(resolve(context.cwd, file), { interval: 2000, persistent: false }, reload);
  }
}

/** @throws DvError `bad-option` */
function rateOf(text: string): { requestsPerSecond: number; requestBurst: number } {
  const rate = Number(text);
  if (/^\d+$/.test(text)) return { requestsPerSecond: rate, requestBurst: 2 * rate };
  throw new DvError('bad-option', `'${text}' is no number of requests a second`);
}

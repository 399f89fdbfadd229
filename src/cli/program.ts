/**
 * A command line from its words to its exit status.
 *
 * With --json, standard output carries the results, one JSON value a line, and a failure is
 * the last line, `{"error":{code,message,hint,data}}`: a program reads one stream. Without,
 * a failure goes to standard error as `error:` and `hint:` lines. The status is the same.
 */
import type { DvError } from '../errors.ts';
import type { Context } from './context.ts';
import { resolveCommand } from './find-command.ts';
import { toDvError } from './foreign-error.ts';
import {
  asksForJson,
  type GlobalFlags,
  mergeGlobalFlags,
  parseLeadingFlags,
} from './global-flags.ts';
import { OutputClosed } from './output.ts';
import { COMMANDS } from './registry.ts';
import { renderError } from './render/error.ts';
import type { Paint } from './render/paint.ts';

/** The outside world before the flags are known. */
export interface Host {
  openContext(flags: GlobalFlags): Promise<Context>;
  errorPaint(): Promise<Paint>;
  readonly out: Context['out'];
  readonly err: Context['err'];
  readonly width: number;
  /** Runs what the context's `atEnd` collected. Idempotent. */
  cleanUp(): Promise<void>;
}

const STATUS_USAGE = 2;

/** Runs one command line; never throws. */
export async function runProgram(argv: readonly string[], host: Host): Promise<number> {
  try {
    const status = await dispatch(argv, host);
    await host.cleanUp();
    await host.out.flush();
    await host.err.flush();
    return status;
  } catch (thrown) {
    await host.cleanUp().catch(() => undefined); // the first failure is the one to tell
    return reportFailure(thrown, argv, host);
  }
}

async function dispatch(argv: readonly string[], host: Host): Promise<number> {
  const { flags, asks, rest } = parseLeadingFlags(argv);
  if (asks === 'version') return runCommand(['version'], flags, host);
  if (asks === 'help') return runCommand(['help', ...rest], flags, host);
  if (rest.length > 0) return runCommand(rest, flags, host);
  const { renderGeneralHelp } = await import('./help.ts');
  host.err.write(renderGeneralHelp(COMMANDS));
  return STATUS_USAGE;
}

async function runCommand(
  words: readonly string[],
  leading: GlobalFlags,
  host: Host,
): Promise<number> {
  const found = resolveCommand(COMMANDS, words);
  if (found.kind === 'family') return runFamily(found.word, words.slice(1), host);
  const { name, entry, args } = found;
  const [module, parser] = await Promise.all([entry.load(), import('./parse-command.ts')]);
  const command = parser.buildCommand(name, entry, module);
  const parsed = parser.parseCommand(name, command, args, host.width);
  if (parsed.kind === 'help') {
    host.out.write(parsed.text);
    return 0;
  }
  const context = await host.openContext(mergeGlobalFlags(leading, parsed.globals));
  return (await module.run(context, parsed.invocation)) ?? 0;
}

async function runFamily(word: string, args: readonly string[], host: Host): Promise<number> {
  const { renderFamilyHelp } = await import('./help.ts');
  const asked = args.includes('-h') || args.includes('--help');
  (asked ? host.out : host.err).write(renderFamilyHelp(COMMANDS, word));
  return asked ? 0 : STATUS_USAGE;
}

/** Tells a failure to whoever reads, and gives the exit status. Never throws. */
export async function reportFailure(
  thrown: unknown,
  argv: readonly string[],
  host: Host,
): Promise<number> {
  if (thrown instanceof OutputClosed) return 0;
  const error = toDvError(thrown);
  try {
    if (asksForJson(argv)) {
      host.out.json({ error: errorAsJson(error) });
      await host.out.flush();
    } else {
      await host.out.flush().catch(() => undefined); // what it was about may be that very output
      host.err.write(renderError(error, await host.errorPaint()));
      await host.err.flush();
    }
  } catch {
    // Nobody reads; the status still tells.
  }
  return error.exitStatus;
}

function errorAsJson(error: DvError): unknown {
  if (error.kind !== 'internal') return error;
  const origin = error.cause instanceof Error ? error.cause : error;
  return { ...error.toJSON(), data: { ...error.data, stack: origin.stack } };
}

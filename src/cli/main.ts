/**
 * The process around a command line: signals, errors that nobody caught, and the end.
 * An interrupted dv closes its store first; what it had not committed never happened.
 */
import { ProcessHost } from './process-host.ts';
import { type Host, reportFailure, runProgram } from './program.ts';

/** A signal's exit status is 128 and its number, as shells have it. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export async function main(argv: readonly string[]): Promise<never> {
  const host = new ProcessHost(argv);
  watchSignals(host);
  watchStrayErrors(host, argv);
  process.exit(await runProgram(argv, host));
}

/** Once: a second signal of the kind ends the process at once. */
export function watchSignals(host: Host): void {
  for (const [signal, status] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      host
        .cleanUp()
        .catch(() => undefined)
        .then(() => process.exit(status));
    });
  }
}

export function watchStrayErrors(host: Host, argv: readonly string[]): void {
  const end = async (thrown: unknown) => process.exit(await reportFailure(thrown, argv, host));
  process.once('uncaughtException', end);
  process.once('unhandledRejection', end);
}

/**
 * Trying again: which errors of the way there are worth it, and how long to wait. Randomness
 * and sleep come from the caller.
 */
import { DvError } from '../errors.ts';

export interface RetryOptions {
  readonly sleep: (ms: number) => Promise<void>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Failures in a row, without anything gained between them, before it gives up. Default 8. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  readonly onRetry?: (error: DvError, waitMs: number) => void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;
const DEFAULT_ATTEMPTS = 8;
const TRANSIENT: ReadonlySet<string> = new Set([
  'connection-lost',
  'remote-unreachable',
  'server-failed',
  'unavailable',
  'locked',
]);

/** A limit passes when it says when. */
function isPassing({ code, data }: DvError): boolean {
  return TRANSIENT.has(code) || (code === 'limit-exceeded' && typeof data.retryAfter === 'number');
}

/** Failures in a row; `failed` waits before the next try, or throws. */
export class Backoff {
  private readonly options: RetryOptions;
  private failures = 0;

  constructor(options: RetryOptions) {
    this.options = options;
  }

  succeeded(): void {
    this.failures = 0;
  }

  /** @throws the error itself when another try would be of no use */
  async failed(error: unknown): Promise<void> {
    const { sleep, random, attempts = DEFAULT_ATTEMPTS, signal, onRetry } = this.options;
    signal?.throwIfAborted();
    if (!(error instanceof DvError) || !isPassing(error)) throw error;
    this.failures += 1;
    if (this.failures >= attempts) throw error;
    const asked = error.data.retryAfter;
    const least = typeof asked === 'number' ? Math.min(asked * 1000, LONGEST_WAIT_MS) : 0;
    const step = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1));
    const wait = Math.max(least, step * (0.5 + random() / 2));
    onRetry?.(error, wait);
    await sleep(wait);
    signal?.throwIfAborted();
  }
}

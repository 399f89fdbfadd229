/**
 * The thread that stores chunks while the main thread makes more of them: compression and
 * SQLite's writing are half of a large import. It opens the same file for itself; a chunk is
 * visible to every connection once its batch is answered. Started by sqlite-background.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { ChunkToPut } from './contract.ts';
import { openSqliteStore } from './sqlite.ts';

/** Chunks on their way: chunk i is bytes[ends[i - 1] .. ends[i]). */
export interface PutMessage {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
  readonly hashes: readonly Hash[];
  readonly likes: readonly (Hash | undefined)[];
  /** The clock at sending, ms since the epoch: a worker has none of its own. */
  readonly now: number;
}

export interface WorkerSetup {
  readonly path: string;
  readonly owner: string | undefined;
  readonly lockTimeoutMs: number | undefined;
  readonly now: number;
}

/** One per message, in their order; `error` is null when the batch is stored. */
export interface PutAnswer {
  readonly error: ReturnType<DvError['toJSON']> | null;
}

function chunksOf({ bytes, ends, hashes, likes }: PutMessage): ChunkToPut[] {
  return hashes.map((hash, i) => {
    const chunk = bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i]);
    const like = likes[i];
    return like === undefined ? { hash, bytes: chunk } : { hash, bytes: chunk, like };
  });
}

async function serve(): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const { path, owner, lockTimeoutMs, now } = workerData as WorkerSetup;
  let clock = now;
  const store = await openSqliteStore(path, {
    now: () => clock,
    owner,
    lockTimeoutMs,
    background: false,
  });
  let queue = Promise.resolve();
  port.on('message', (message: PutMessage | 'close') => {
    queue = queue.then(async () => {
      if (message === 'close') {
        await store.close();
        port.close();
        return;
      }
      clock = message.now;
      const error = await store.putMany(chunksOf(message)).then(() => null, describe);
      port.postMessage({ error } satisfies PutAnswer);
    });
  });
}

function describe(error: unknown): Record<string, unknown> {
  const { code, message, hint, data } = error as Partial<DvError>;
  return { code: code ?? 'bug', message: message ?? String(error), hint, data };
}

serve();

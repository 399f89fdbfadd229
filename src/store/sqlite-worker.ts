/**
 * The thread that stores chunks while the main thread makes more of them: compression and
 * SQLite's writing are half of a large import. It opens the same file for itself; a chunk is
 * visible to every connection once its batch is answered. Started by sqlite-background.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { DvError } from '../errors.ts';
import type { PutAnswer, PutMessage, WorkerSetup } from './put-message.ts';
import { openSqliteStore } from './sqlite.ts';
import type { ReceivedChunk } from './transfer.ts';

function chunksOf({ bytes, ends, hashes, likes, received }: PutMessage): ReceivedChunk[] {
  return hashes.map((hash, i) => {
    const chunk = bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i]);
    const like = likes[i];
    const came = received?.forms[i];
    const encoded = came && {
      hash,
      rawSize: chunk.length,
      form: came.form,
      data: bytes.subarray(came.start, came.end),
    };
    return { hash, bytes: chunk, ...(like && { like }), ...(encoded && { encoded }) };
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
      const chunks = chunksOf(message);
      const stored =
        message.received === undefined
          ? store.putMany(chunks)
          : store.putReceived(message.received.transfer, chunks);
      const error = await stored.then(() => null, describe);
      const { bytes } = message;
      port.postMessage({ error, bytes } satisfies PutAnswer, [bytes.buffer as ArrayBuffer]);
    });
  });
}

function describe(error: unknown): Record<string, unknown> {
  const { code, message, hint, data } = error as Partial<DvError>;
  return { code: code ?? 'bug', message: message ?? String(error), hint, data };
}

serve();

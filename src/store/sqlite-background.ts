/**
 * Hands batches of chunks to a thread of their own (sqlite-worker.ts) once an operation has
 * stored so much that the thread pays; small commits never start it.
 */
import { Worker } from 'node:worker_threads';
import { DvError, type ErrorCode } from '../errors.ts';
import type { ChunkToPut } from './contract.ts';
import type { PutAnswer, PutMessage, WorkerSetup } from './put-message.ts';

/** Bytes stored by the caller's own thread before the other is started. */
const START_AFTER_BYTES = 3 * 1024 * 1024;

interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

export class BackgroundPuts {
  private readonly setup: () => WorkerSetup;
  private worker: Worker | undefined;
  private readonly waiting: Waiting[] = [];
  private ended: Promise<void> | undefined;
  private seenBytes = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(setup: () => WorkerSetup) {
    this.setup = setup;
  }

  /** Stores the chunks, or answers undefined: too little so far, the caller does it. */
  put(chunks: readonly ChunkToPut[]): Promise<void> | undefined {
    for (const { bytes } of chunks) this.seenBytes += bytes.length;
    if (this.seenBytes < START_AFTER_BYTES) return undefined;
    const worker = this.start();
    const message = this.pack(chunks);
    const done = new Promise<void>((resolve, reject) => this.waiting.push({ resolve, reject }));
    this.last = done.catch(() => undefined); // the caller gets the error; this only waits
    worker.postMessage(message, [message.bytes.buffer as ArrayBuffer]);
    return done;
  }

  /** Resolves when nothing is under way: the end of an operation, so counting starts anew. */
  async idle(): Promise<void> {
    this.seenBytes = 0;
    await this.last;
  }

  private pack(chunks: readonly ChunkToPut[]): PutMessage {
    const total = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    // Not filled with zeros first, and not from a pool: it is given away.
    const bytes = Buffer.allocUnsafeSlow(total);
    const ends: number[] = [];
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk.bytes, at);
      at += chunk.bytes.length;
      ends.push(at);
    }
    const hashes = chunks.map(({ hash }) => hash);
    return { bytes, ends, hashes, likes: chunks.map(({ like }) => like), now: this.setup().now };
  }

  private start(): Worker {
    if (this.worker !== undefined) return this.worker;
    // Beside this file: as source, or in the bundle.
    const file = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.cjs';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: this.setup() });
    worker.on('message', ({ error }: PutAnswer) => this.answer(error));
    this.ended = new Promise((resolve) => {
      worker.once('error', (cause) => this.fail(cause));
      worker.once('exit', () => {
        this.fail(new Error('the storing thread ended'));
        resolve();
      });
    });
    this.worker = worker;
    return worker;
  }

  private answer(error: PutAnswer['error']): void {
    const waiting = this.waiting.shift();
    if (error === null) waiting?.resolve();
    else waiting?.reject(rebuild(error));
  }

  private fail(cause: unknown): void {
    this.worker = undefined;
    for (const waiting of this.waiting.splice(0)) waiting.reject(cause);
  }

  /** Waits for what is under way and ends the thread. Idempotent. */
  async close(): Promise<void> {
    await this.idle();
    this.worker?.postMessage('close');
    await this.ended;
  }
}

function rebuild({ code, message, hint, data }: Record<string, unknown>): DvError {
  return new DvError(code as ErrorCode, String(message), {
    hint: hint as string | undefined,
    data: data as Record<string, unknown> | undefined,
  });
}

/**
 * Hands batches of chunks to a thread of their own (sqlite-worker.ts) once an operation has
 * stored so much that the thread pays; small commits never start it. It ends when there was
 * nothing to store for a while, as a server has many repositories open.
 */
import { Worker } from 'node:worker_threads';
import { DvError, type ErrorCode } from '../errors.ts';
import type { PutAnswer, PutMessage, ReceivedForm, WorkerSetup } from './put-message.ts';
import type { ReceivedChunk } from './transfer.ts';

/** Bytes stored by the caller's own thread before the other is started. */
const START_AFTER_BYTES = 3 * 1024 * 1024;
/** The thread ends after so long without work, in ms. */
const IDLE_MS = 5000;

const NOTHING = new Uint8Array(0);

interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

export class BackgroundPuts {
  private readonly setup: () => WorkerSetup;
  private readonly idleMs: number;
  private worker: Worker | undefined;
  private readonly waiting: Waiting[] = [];
  private ended: Promise<void> | undefined;
  private seenBytes = 0;
  private last: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  /** Came back with an answer. New buffers of some MB would wait for the collector. */
  private spare: Uint8Array = NOTHING;

  constructor(setup: () => WorkerSetup, idleMs = IDLE_MS) {
    this.setup = setup;
    this.idleMs = idleMs;
  }

  get isRunning(): boolean {
    return this.worker !== undefined;
  }

  /**
   * Stores the chunks, of a transfer if it is named, or answers undefined: too little so far,
   * the caller does it.
   */
  put(chunks: readonly ReceivedChunk[], transfer?: string): Promise<void> | undefined {
    for (const { bytes } of chunks) this.seenBytes += bytes.length;
    if (this.seenBytes < START_AFTER_BYTES) return undefined;
    clearTimeout(this.timer);
    const worker = this.start();
    const message = packMessage(chunks, transfer, this.setup().now, this.spare);
    this.spare = NOTHING;
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

  private start(): Worker {
    if (this.worker !== undefined) return this.worker;
    // Beside this file: as source, or in the bundle.
    const file = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.cjs';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: this.setup() });
    worker.on('message', (answer: PutAnswer) => this.answer(answer));
    this.ended = new Promise((resolve) => {
      worker.once('error', (cause) => this.worker === worker && this.fail(cause));
      worker.once('exit', () => {
        if (this.worker === worker) this.fail(new Error('the storing thread ended'));
        resolve();
      });
    });
    this.worker = worker;
    return worker;
  }

  private answer({ error, bytes }: PutAnswer): void {
    this.spare = bytes;
    const waiting = this.waiting.shift();
    if (error === null) waiting?.resolve();
    else waiting?.reject(rebuild(error));
    if (this.waiting.length > 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), this.idleMs).unref();
  }

  /** What comes after this starts another thread. */
  private end(): void {
    clearTimeout(this.timer);
    this.worker?.postMessage('close');
    this.worker = undefined;
    this.spare = NOTHING;
  }

  private fail(cause: unknown): void {
    this.worker = undefined;
    for (const waiting of this.waiting.splice(0)) waiting.reject(cause);
  }

  /** Waits for what is under way and ends the thread. Idempotent. */
  async close(): Promise<void> {
    await this.idle();
    this.end();
    await this.ended;
  }
}

function packMessage(
  chunks: readonly ReceivedChunk[],
  transfer: string | undefined,
  now: number,
  spare: Uint8Array,
): PutMessage {
  const total = chunks.reduce((sum, one) => sum + one.bytes.length + dataOf(one).length, 0);
  // Not filled with zeros first, and not from a pool: it is given away.
  const bytes = spare.length < total ? Buffer.allocUnsafeSlow(total) : spare;
  let at = 0;
  const ends = chunks.map((chunk) => {
    bytes.set(chunk.bytes, at);
    at += chunk.bytes.length;
    return at;
  });
  const forms = chunks.map((chunk, i): ReceivedForm | undefined => {
    const { encoded } = chunk;
    if (encoded === undefined) return undefined;
    const { form } = encoded;
    if (form.kind === 'raw') return { form, start: ends[i] - chunk.bytes.length, end: ends[i] };
    const start = at;
    bytes.set(encoded.data, start);
    at += encoded.data.length;
    return { form, start, end: at };
  });
  const hashes = chunks.map(({ hash }) => hash);
  const likes = chunks.map(({ like }) => like);
  return { bytes, ends, hashes, likes, now, ...(transfer && { received: { transfer, forms } }) };
}

/** Of a chunk that came raw its bytes are enough. */
function dataOf({ encoded }: ReceivedChunk): Uint8Array {
  return encoded === undefined || encoded.form.kind === 'raw' ? NOTHING : encoded.data;
}

function rebuild({ code, message, hint, data }: Record<string, unknown>): DvError {
  return new DvError(code as ErrorCode, String(message), {
    hint: hint as string | undefined,
    data: data as Record<string, unknown> | undefined,
  });
}

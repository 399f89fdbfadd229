/**
 * A buffered writer over one of the process's streams. Writes are gathered into blocks of
 * 64 KiB; whoever writes much awaits `flush` once a batch, which also waits for a slow
 * reader. When the reader has gone (EPIPE), the next write throws `OutputClosed`, and the
 * command ends quietly: nobody is listening. Any other failure is an error.
 *
 * Most outputs are one small block. It is written straight to the file descriptor: opening
 * a stream would cost a tenth of a short command's time.
 */
import { writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { DvError } from '../errors.ts';

const BLOCK_CHARACTERS = 64 * 1024;

/** Thrown by writes after the reader has gone. Not an error: dv ends with status 0. */
export class OutputClosed extends Error {
  constructor() {
    super('the reader of the output has gone');
    this.name = 'OutputClosed';
  }
}

export class Output {
  readonly #name: string;
  readonly #descriptor: number;
  readonly #open: () => Writable;
  #stream: Writable | undefined;
  #isFirst = true;
  #text = '';
  #failure: NodeJS.ErrnoException | undefined;
  /** Called before anything is handed to the operating system. */
  beforeWrite: (() => void) | undefined;

  /** `open` gives the stream of `descriptor`; called when one block is not all. */
  constructor(name: string, descriptor: number, open: () => Writable) {
    this.#name = name;
    this.#descriptor = descriptor;
    this.#open = open;
  }

  write(text: string): void {
    this.#check();
    this.#text += text;
    if (this.#text.length >= BLOCK_CHARACTERS) this.#hand(this.#takeText());
  }

  line(text = ''): void {
    this.write(`${text}\n`);
  }

  /** One JSON value on a line of its own. */
  json(value: unknown): void {
    this.write(`${JSON.stringify(value)}\n`);
  }

  /** Bytes as they are: the data of an export. They must not change until `flush` resolves. */
  bytes(bytes: Uint8Array): void {
    this.#check();
    if (this.#text !== '') this.#hand(this.#takeText());
    this.#hand(bytes);
  }

  /**
   * Resolves when everything written is with the operating system.
   * @throws OutputClosed when the reader has gone; DvError `disk-full`, `file-unwritable`
   */
  async flush(): Promise<void> {
    if (this.#text !== '') this.#flushText();
    const stream = this.#stream;
    if (stream !== undefined && this.#failure === undefined && stream.writableLength > 0) {
      // The empty write is queued behind the others: its callback comes after them.
      await new Promise<void>((resolve) => stream.write('', () => resolve()));
    }
    this.#check();
  }

  #flushText(): void {
    const text = this.#takeText();
    const rest = this.#isFirst && this.#stream === undefined ? this.#writeDirectly(text) : text;
    this.#isFirst = false;
    if (rest.length > 0) this.#hand(rest);
  }

  /** What the descriptor did not take at once, for the stream. */
  #writeDirectly(text: string): Uint8Array {
    let bytes: Uint8Array = Buffer.from(text);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#descriptor, bytes));
    } catch (error) {
      const failure = error as NodeJS.ErrnoException;
      if (failure.code !== 'EAGAIN') {
        this.#failure = failure;
        return new Uint8Array();
      }
    }
    return bytes;
  }

  #takeText(): string {
    this.beforeWrite?.();
    const text = this.#text;
    this.#text = '';
    return text;
  }

  #hand(block: string | Uint8Array): void {
    if (this.#stream === undefined) {
      this.#stream = this.#open();
      this.#stream.on('error', (error) => {
        this.#failure ??= error;
      });
    }
    this.#stream.write(block);
  }

  #check(): void {
    const failure = this.#failure ?? this.#stream?.errored;
    if (failure === undefined || failure === null) return;
    const { code, message } = failure as NodeJS.ErrnoException;
    if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') throw new OutputClosed();
    throw new DvError(
      code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'file-unwritable',
      `cannot write to ${this.#name}: ${message}`,
    );
  }
}

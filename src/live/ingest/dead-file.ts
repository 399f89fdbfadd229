/**
 * Dead letters as lines of JSON. A record that is UTF-8 is kept as text, any other as base64;
 * both keep every byte. The same record may be there twice after a crash: its source,
 * partition and offset tell.
 */
import { isUtf8 } from 'node:buffer';
import type { DeadLetter, DeadLetters } from './record.ts';

/** Appends bytes and makes them durable. */
export interface LetterFile {
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export class DeadFile implements DeadLetters {
  readonly #file: LetterFile;
  #waiting: string[] = [];

  constructor(file: LetterFile) {
    this.#file = file;
  }

  put(letter: DeadLetter): void {
    this.#waiting.push(renderLetter(letter));
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const text = this.#waiting.join('');
    this.#waiting = [];
    await this.#file.append(Buffer.from(text));
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file.close();
  }
}

function renderLetter({ key, record, ...facts }: DeadLetter): string {
  const { code, reason, source, partition, position, line } = facts;
  const where = { source, ...(partition === '' ? {} : { partition }), offset: position, line };
  return `${JSON.stringify({ code, reason, ...where, ...named('key', key), ...named('record', record) })}\n`;
}

function named(name: string, bytes: Uint8Array | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer)
    ? { [name]: buffer.toString() }
    : { [`${name}Base64`]: buffer.toString('base64') };
}

/**
 * A file to read that the user named: perhaps standard input, or a pipe such as
 * `<(unzip -p data.zip)`. What can be read only once is written to a temporary file first,
 * because an import may have to begin again; whether it is compressed tell its first bytes.
 */
import { createReadStream, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DvError } from '../../errors.ts';
import { type Compression, decompress } from '../../formats/compressed.ts';
import { formatOf } from '../../formats/detect.ts';
import type { Environment } from '../environment.ts';
import { writeNewFile } from '../write-file.ts';

export interface InputFile {
  readonly path: string;
  /** For messages. */
  readonly name: string;
  /** Of the file at `path`. */
  readonly compression: Compression | undefined;
}

export interface InputPlace {
  /** Where relative names start. */
  readonly cwd: string;
  readonly env: Environment;
  /** A directory for temporary files, made when first asked for. */
  readonly scratch: () => string;
}

/** `-` is standard input. @throws DvError `bad-compression`, `disk-full`, ... */
export async function openInput(source: string, place: InputPlace): Promise<InputFile> {
  if (source === '-') return spool(standardInput(place.env), 'standard input', place);
  const path = resolve(place.cwd, source);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile() && !stat.isDirectory()) {
    return spool(createReadStream(path), source, place);
  }
  return { path, name: source, compression: formatOf(source).compression };
}

export function standardInput({ stdin }: Environment): AsyncIterable<Uint8Array> {
  if (stdin !== undefined) return stdin();
  throw new DvError('bad-option', 'there is no standard input to read');
}

async function spool(
  source: AsyncIterable<Uint8Array>,
  name: string,
  { env, scratch }: InputPlace,
): Promise<InputFile> {
  const path = join(scratch(), `input-${env.randomId()}`);
  await writeNewFile(path, decompressIfNeeded(source, name));
  return { path, name, compression: undefined };
}

/** The bytes of a stream, decompressed when it begins as a gzip or zstd file does. */
export async function* decompressIfNeeded(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let ended = false;
  while (head.length < LONGEST_MAGIC && !ended) {
    const next = await pieces.next();
    if (next.done) ended = true;
    else head = Buffer.concat([head, next.value]);
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head;
      while (!ended) {
        const next = await pieces.next();
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await pieces.return?.();
    }
  }
  const compression = compressionOf(head);
  yield* compression === undefined ? whole() : decompress(whole(), compression, name);
}

/** First bytes: RFC 1952, section 2.3.1, and RFC 8878, section 3.1.1. */
const MAGIC: readonly (readonly [Compression, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];
const LONGEST_MAGIC = 4;

function compressionOf(head: Buffer): Compression | undefined {
  const found = MAGIC.find(([, magic]) => head.subarray(0, magic.length).equals(magic));
  return found?.[0];
}

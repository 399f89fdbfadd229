/**
 * Compressed files: gzip and zstd around any format, streaming both ways. A gzip file may
 * have several members, a zstd file several frames. What is written depends on the content
 * alone: no time, no name, no operating system in the header.
 */
import type { Transform } from 'node:stream';
import {
  constants,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
} from 'node:zlib';
import { DvError } from '../errors.ts';
import type { ByteSource } from './contract.ts';
import type { Compression } from './detect.ts';
import { ZstdFrames } from './zstd-frames.ts';

export type { Compression };

const CHUNK = 256 * 1024;
/** Offset of the byte that names the operating system in a gzip header; 255 is unknown. */
const GZIP_SYSTEM = 9;
const CHECKSUM = { [constants.ZSTD_c_checksumFlag]: 1 };

/**
 * The decompressed bytes.
 * @throws DvError `bad-compression` where the input is damaged or ends too early; what the
 * input itself throws comes through as it is
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  file: string,
): AsyncGenerator<Uint8Array> {
  try {
    if (compression === 'zstd') yield* decompressFrames(source);
    else yield* through(source, createGunzip({ chunkSize: CHUNK }));
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw new DvError('bad-compression', `"${file}" is damaged or cut off: ${error.message}`, {
      hint: `is it a ${compression} file, and whole?`,
      data: { file, compression },
      cause: error,
    });
  }
}

/** The compressed bytes. */
export async function* compress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  if (compression === 'zstd') {
    yield* through(source, createZstdCompress({ chunkSize: CHUNK, params: CHECKSUM }));
    return;
  }
  let offset = 0;
  for await (const chunk of through(source, createGzip({ chunkSize: CHUNK }))) {
    const at = GZIP_SYSTEM - offset;
    if (at >= 0 && at < chunk.length) chunk[at] = 0xff;
    offset += chunk.length;
    yield chunk;
  }
}

/** The same source, decompressed. Its size is not known beforehand. */
export function decompressed(source: ByteSource, compression: Compression): ByteSource {
  return {
    name: source.name,
    size: undefined,
    stream: () => decompress(source.stream(), compression, source.name),
  };
}

/** Each zstd frame through a decompressor of its own. */
async function* decompressFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]();
  const frames = new ZstdFrames();
  let piece: Uint8Array = new Uint8Array(0);
  let started = false;

  async function morePieces(): Promise<boolean> {
    while (piece.length === 0) {
      const next = await pieces.next();
      if (next.done) return false;
      piece = next.value;
    }
    return true;
  }
  async function* oneFrame(): AsyncGenerator<Uint8Array> {
    do {
      if (!(await morePieces())) throw new Damage('unexpected end of file');
      const end = frames.advance(piece, 0);
      if (frames.bad) throw new Damage('not a zstd frame');
      const part = piece.subarray(0, end);
      piece = piece.subarray(end);
      yield part;
    } while (!frames.whole);
  }

  try {
    while ((await morePieces()) || !started) {
      started = true;
      yield* through(oneFrame(), createZstdDecompress({ chunkSize: CHUNK }));
    }
  } finally {
    await pieces.return?.();
  }
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array> {
  const feeding = feed(source, transform).catch((error) => transform.destroy(error));
  try {
    for await (const chunk of transform) yield chunk as Uint8Array;
  } finally {
    transform.destroy();
    await feeding;
  }
}

/**
 * Waits for each write, so that the end is never told together with the last bytes: zstd
 * would finish twice then, and leave an empty frame, or not, as timing has it. A transform
 * that is destroyed does not answer, so its closing counts as an answer.
 */
async function feed(source: AsyncIterable<Uint8Array>, transform: Transform): Promise<void> {
  const closed = new Promise((resolve) => transform.once('close', resolve));
  for await (const chunk of source) {
    const written = new Promise((resolve) => transform.write(chunk, resolve));
    await Promise.race([written, closed]);
    if (transform.destroyed) return;
  }
  transform.end();
}

class Damage extends Error {}

function isDamage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return error instanceof Damage || /^(Z_|ZSTD_|ERR_ZLIB)/.test(code);
}

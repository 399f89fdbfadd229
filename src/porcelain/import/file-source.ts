/**
 * A working file as a byte source: read in blocks, decompressed on the way, its raw bytes
 * hashed as they pass, and checked for having stayed the same from first byte to last.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DvError } from '../../errors.ts';
import { type Compression, decompress } from '../../formats/compressed.ts';
import type { ByteSource } from '../../formats/contract.ts';
import { createHasher, type Hash } from '../../hash.ts';
import { type Stamp, sameStamp, stampOf } from '../fingerprint.ts';

const BLOCK = 512 * 1024;

/** @throws DvError `file-missing`, `file-is-directory`, `file-unreadable` */
function openForReading(path: string, name: string): number {
  try {
    const file = openSync(path, 'r');
    if (!fstatSync(file).isDirectory()) return file;
    closeSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new DvError('file-missing', `there is no file '${name}'`, { data: { file: name } });
    }
    const message = `cannot read '${name}': ${(cause as Error).message}`;
    throw new DvError('file-unreadable', message, { data: { file: name }, cause });
  }
  throw new DvError('file-is-directory', `'${name}' is a directory`, {
    hint: 'name a file in it',
    data: { file: name },
  });
}

export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  /** Set for files that are not compressed: Parquet reads them from the end. */
  readonly readRange?: (start: number, end: number) => Promise<Uint8Array>;
  private readonly path: string;
  private readonly compression: Compression | undefined;
  private readonly onRead: (bytes: number, total: number) => void;
  private readonly before: Stamp | undefined;
  private digest: Hash | undefined;

  constructor(
    path: string,
    name: string,
    compression: Compression | undefined,
    onRead: (bytes: number, total: number) => void = () => {},
  ) {
    this.path = path;
    this.name = name;
    this.compression = compression;
    this.onRead = onRead;
    closeSync(openForReading(path, name));
    this.before = stampOf(path);
    this.size = this.before?.size ?? 0;
    if (compression === undefined) this.readRange = async (start, end) => this.range(start, end);
  }

  stream(): AsyncIterable<Uint8Array> {
    const raw = this.raw();
    return this.compression === undefined ? raw : decompress(raw, this.compression, this.name);
  }

  /** The bytes as they lie on disk. */
  raw(): AsyncIterable<Uint8Array> {
    return this.blocks();
  }

  private async *blocks(): AsyncGenerator<Uint8Array> {
    const file = openForReading(this.path, this.name);
    const hasher = createHasher();
    let done = 0;
    try {
      for (;;) {
        const block = Buffer.allocUnsafe(BLOCK);
        const got = readSync(file, block);
        if (got === 0) break;
        const bytes = block.subarray(0, got);
        hasher.update(bytes);
        done += got;
        this.onRead(done, this.size);
        await nextTurn(); // so that an interrupt is heard
        yield bytes;
      }
    } finally {
      closeSync(file);
    }
    this.digest = hasher.digest();
  }

  private range(start: number, end: number): Uint8Array {
    const file = openForReading(this.path, this.name);
    try {
      const bytes = Buffer.allocUnsafe(end - start);
      const got = readSync(file, bytes, 0, end - start, start);
      return bytes.subarray(0, got);
    } finally {
      closeSync(file);
    }
  }

  /**
   * Stamp and content hash of what was read.
   * @throws DvError `file-changed` when the file is no longer what it was at the start
   */
  async settle(): Promise<{ readonly stamp: Stamp; readonly content: Hash }> {
    if (this.digest === undefined) for await (const _ of this.blocks());
    const after = stampOf(this.path);
    if (this.before === undefined || after === undefined || !sameStamp(this.before, after)) {
      throw new DvError('file-changed', `'${this.name}' changed while it was read`, {
        hint: 'try again when nothing writes to it',
        data: { file: this.name },
      });
    }
    return { stamp: after, content: this.digest as Hash };
  }
}

/**
 * A Parquet file as bytes at any offset, and the library that decodes its parts, loaded when
 * the first file is opened. A source that can only be streamed is kept in memory.
 */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Compressors, FileMetaData } from 'hyparquet';
import { DvError } from '../errors.ts';
import type { ByteSource } from './contract.ts';
import { badParquet, decoding } from './parquet-errors.ts';

/** Largest file that is kept in memory because it cannot be read at random. */
const MAX_BUFFERED = 512 * 1024 * 1024;
/** 'PAR1' before and behind the file; then the footer's length before the last one. */
const MAGIC = 'PAR1';
const ENCRYPTED_MAGIC = 'PARE';
const TRAILER = 8;

export interface FileAccess {
  readonly file: string;
  readonly size: number;
  read(start: number, end: number): Promise<Uint8Array>;
}

export async function openAccess(source: ByteSource): Promise<FileAccess> {
  const { name: file, size } = source;
  if (source.readRange !== undefined && size !== undefined) {
    const read = (start: number, end: number) => source.readRange!(start, end);
    return { file, size, read };
  }
  const bytes = await buffered(source);
  return { file, size: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
}

async function buffered(source: ByteSource): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source.stream()) {
    size += chunk.length;
    if (size > MAX_BUFFERED) {
      throw new DvError('bad-parquet', `"${source.name}" is over 512 MiB and cannot be sought in`, {
        hint: 'save it as an uncompressed file first: Parquet is read from its end',
        data: { file: source.name, limit: MAX_BUFFERED },
      });
    }
    chunks.push(Uint8Array.from(chunk));
  }
  return Buffer.concat(chunks);
}

/** The parts of hyparquet that dv uses: everything below whole columns. */
export interface ParquetLibrary {
  readonly parquetMetadata: typeof import('hyparquet').parquetMetadata;
  readonly parquetSchema: typeof import('hyparquet').parquetSchema;
  readonly parquetHeader: typeof import('hyparquet/src/column.js').parquetHeader;
  readonly decompressPage: typeof import('hyparquet/src/datapage.js').decompressPage;
  readonly readPlain: typeof import('hyparquet/src/plain.js').readPlain;
  readonly readRle: typeof import('hyparquet/src/encoding.js').readRleBitPackedHybrid;
  readonly byteStreamSplit: typeof import('hyparquet/src/encoding.js').byteStreamSplit;
  readonly delta: typeof import('hyparquet/src/delta.js');
  readonly compressors: Compressors;
}

export async function loadLibrary(): Promise<ParquetLibrary> {
  const [main, column, page, plain, encoding, delta, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet/src/column.js'),
    import('hyparquet/src/datapage.js'),
    import('hyparquet/src/plain.js'),
    import('hyparquet/src/encoding.js'),
    import('hyparquet/src/delta.js'),
    import('hyparquet-compressors'),
  ]);
  return {
    parquetMetadata: main.parquetMetadata,
    parquetSchema: main.parquetSchema,
    parquetHeader: column.parquetHeader,
    decompressPage: page.decompressPage,
    readPlain: plain.readPlain,
    readRle: encoding.readRleBitPackedHybrid,
    byteStreamSplit: encoding.byteStreamSplit,
    delta,
    compressors: {
      ...compressors,
      GZIP: (input, size) => gunzipSync(input, { maxOutputLength: size }),
      BROTLI: (input, size) => brotliDecompressSync(input, { maxOutputLength: size }),
      ZSTD: (input, size) => zstdDecompressSync(input, { maxOutputLength: size }),
    },
  };
}

/** @throws DvError `file-empty`, `bad-parquet` */
export async function readMetadata(
  access: FileAccess,
  library: ParquetLibrary,
): Promise<FileMetaData> {
  const { file, size } = access;
  const place = { file };
  if (size === 0) throw new DvError('file-empty', `"${file}" is empty`, { data: place });
  const first = latin1(await access.read(0, Math.min(4, size)));
  if (first === ENCRYPTED_MAGIC) throw encrypted(file);
  if (first !== MAGIC) throw badParquet(place, 'not a Parquet file: it does not start with PAR1');
  const trailer = Buffer.from(await access.read(Math.max(0, size - TRAILER), size));
  if (trailer.toString('latin1', 4) === ENCRYPTED_MAGIC) throw encrypted(file);
  if (size < TRAILER + 4 || trailer.toString('latin1', 4) !== MAGIC) {
    throw badParquet(place, 'the file is cut short: it does not end with PAR1');
  }
  const start = size - TRAILER - trailer.readUInt32LE(0);
  if (start < 4) throw badParquet(place, 'damaged (the footer is longer than the file)');
  const footer = Uint8Array.from(await access.read(start, size));
  return decoding(place, () => library.parquetMetadata(footer, { geoparquet: false }));
}

export function encrypted(file: string): DvError {
  return badParquet({ file }, 'the file is encrypted', 'decrypt it first: dv has no keys');
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

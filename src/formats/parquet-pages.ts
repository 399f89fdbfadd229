/**
 * The pages of one column chunk, one at a time. Memory: a block of the file, the dictionary and
 * a page.
 */
import { crc32 } from 'node:zlib';
import type { ColumnMetaData, PageHeader } from 'hyparquet';
import type { FileAccess, ParquetLibrary } from './parquet-access.ts';
import { badParquet, decoding, type ParquetPlace } from './parquet-errors.ts';
import { type Page, PageDecoder } from './parquet-page.ts';
import type { Leaf } from './parquet-schema.ts';

/** Nobody writes pages this large; a damaged header would ask for any size. */
const MAX_PAGE = 1 << 29;
/** First guess at the size of a page header. */
const HEADER = 1024;

export class ColumnChunkReader {
  readonly #access: FileAccess;
  readonly #library: ParquetLibrary;
  readonly #decoder: PageDecoder;
  readonly #place: ParquetPlace;
  readonly #blockSize: number;
  readonly #end: number;
  /** Entries not read yet. */
  #left: number;
  /** File offset of the next page, and the part of the file in memory. */
  #at: number;
  #block: Uint8Array = new Uint8Array(0);
  #blockStart = 0;

  constructor(
    access: FileAccess,
    library: ParquetLibrary,
    leaf: Leaf,
    meta: ColumnMetaData,
    blockSize: number,
  ) {
    this.#access = access;
    this.#library = library;
    this.#decoder = new PageDecoder(library, leaf, meta.codec);
    this.#place = { file: access.file, column: leaf.path.join('.') };
    this.#blockSize = blockSize;
    this.#left = Number(meta.num_values);
    const dictionary = Number(meta.dictionary_page_offset ?? 0);
    const data = Number(meta.data_page_offset);
    this.#at = dictionary > 0 && dictionary < data ? dictionary : data;
    this.#end = this.#at + Number(meta.total_compressed_size);
    if (!(this.#at >= 4 && this.#end <= access.size && this.#left >= 0)) {
      throw this.#damaged('a column chunk lies outside the file');
    }
  }

  #damaged(why: string): Error {
    return badParquet(this.#place, `damaged (${why})`);
  }

  /** The next data page; undefined behind the last. */
  async next(): Promise<Page | undefined> {
    while (this.#left > 0) {
      const header = await this.#header();
      const body = await this.#body(header);
      const page = decoding(this.#place, () => this.#decoder.decode(header, body));
      if (page === undefined) continue;
      this.#left -= page.entries;
      return page;
    }
    return undefined;
  }

  /** Bytes of the file from the next page on: `size`, or what is left of the chunk. */
  async #take(size: number): Promise<Uint8Array> {
    const end = Math.min(this.#at + size, this.#end);
    const held = this.#blockStart + this.#block.length;
    if (this.#at < this.#blockStart || end > held) {
      const to = Math.min(Math.max(end, this.#at + this.#blockSize), this.#end);
      this.#block = await this.#access.read(this.#at, to);
      this.#blockStart = this.#at;
      if (this.#block.length < to - this.#at) throw this.#damaged('the file ends too early');
    }
    return this.#block.subarray(this.#at - this.#blockStart, end - this.#blockStart);
  }

  async #header(): Promise<PageHeader> {
    if (this.#at >= this.#end) throw this.#damaged('the last page ends too early');
    for (let guess = HEADER; ; guess *= 8) {
      const bytes = await this.#take(guess);
      const whole = this.#at + bytes.length === this.#end;
      const reader = {
        view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
        offset: 0,
      };
      try {
        const header = this.#library.parquetHeader(reader);
        this.#at += reader.offset;
        return header;
      } catch (error) {
        if (whole) return decoding(this.#place, () => raise(error));
      }
    }
  }

  async #body({ compressed_page_size: size, uncompressed_page_size: full, crc }: PageHeader) {
    const sizesFit = isSize(size) && isSize(full) && this.#at + size <= this.#end;
    if (!sizesFit) throw this.#damaged('a page has an impossible size');
    const body = await this.#take(size);
    if (crc !== undefined && crc32(body) !== Number(crc) >>> 0) {
      throw this.#damaged('a page fails its checksum');
    }
    this.#at += size;
    return body;
  }
}

/** A damaged header may hold values of any type. */
function isSize(size: unknown): boolean {
  return Number.isInteger(size) && (size as number) >= 0 && (size as number) <= MAX_PAGE;
}

function raise(error: unknown): never {
  throw error;
}

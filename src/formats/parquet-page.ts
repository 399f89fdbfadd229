/**
 * One page's bytes into entries: which are there, at which level, and the text of those that
 * are.
 *
 *   page v1   all compressed: repetition levels, definition levels, values
 *   page v2   repetition levels, definition levels, then compressed: values
 *
 * Levels are RLE, in v1 behind their length. Source:
 * https://github.com/apache/parquet-format/blob/master/Encodings.md
 */
import type { CompressionCodec, DecodedArray, Encoding, PageHeader } from 'hyparquet';
import type { ParquetLibrary } from './parquet-access.ts';
import type { Leaf } from './parquet-schema.ts';
import {
  type ByteRanges,
  fixedByteArrays,
  joinByteArrays,
  plainByteArrays,
  type TextValues,
  textOfBytes,
  textOfNumbers,
} from './parquet-values.ts';

/** Nobody writes pages of so many; a damaged header would ask for any number. */
const MAX_ENTRIES = 1 << 26;

export interface Page {
  readonly entries: number;
  /** Rows that start in this page. */
  readonly rows: number;
  /** Repetition and definition level of each entry; undefined where the maximum is 0. */
  readonly reps: Uint8Array | undefined;
  readonly defs: Uint8Array | undefined;
  /** The text of each defined entry, or of the dictionary that `indexes` points into. */
  readonly values: TextValues;
  readonly indexes: Int32Array | undefined;
}

/** The pages of one column chunk, in order: a dictionary is for those behind it. */
export class PageDecoder {
  readonly #library: ParquetLibrary;
  readonly #leaf: Leaf;
  readonly #codec: CompressionCodec;
  #dictionary: TextValues | undefined;

  constructor(library: ParquetLibrary, leaf: Leaf, codec: CompressionCodec) {
    this.#library = library;
    this.#leaf = leaf;
    this.#codec = codec;
  }

  /** The entries of a data page; undefined for pages of other kinds. */
  decode(header: PageHeader, body: Uint8Array): Page | undefined {
    switch (header.type) {
      case 'DICTIONARY_PAGE':
        this.#dictionary = this.#decodeDictionary(header, body);
        return undefined;
      case 'DATA_PAGE':
        return this.#decodeV1(header, this.#decompress(body, header.uncompressed_page_size));
      case 'DATA_PAGE_V2':
        return this.#decodeV2(header, body);
      default:
        return undefined;
    }
  }

  #decompress(body: Uint8Array, size: number): Uint8Array {
    if (size === 0) return new Uint8Array(0);
    const { decompressPage, compressors } = this.#library;
    return decompressPage(body, size, this.#codec, compressors);
  }

  #decodeDictionary(header: PageHeader, body: Uint8Array): TextValues {
    const count = this.#checkCount(header.dictionary_page_header?.num_values);
    const page = this.#decompress(body, header.uncompressed_page_size);
    return this.#texts('PLAIN', new PageCursor(page), count);
  }

  #checkCount(count: number | undefined): number {
    if (Number.isInteger(count) && count! >= 0 && count! <= MAX_ENTRIES) return count!;
    throw new RangeError('a page has an impossible number of values');
  }

  #decodeV1(header: PageHeader, page: Uint8Array): Page {
    const info = header.data_page_header;
    const entries = this.#checkCount(info?.num_values);
    const cursor = new PageCursor(page);
    const reps = this.#levels(cursor, this.#leaf.maxRep, entries, undefined);
    const defs = this.#levels(cursor, this.#leaf.maxDef, entries, undefined);
    return this.#page(entries, reps, defs, info!.encoding, cursor);
  }

  #decodeV2(header: PageHeader, body: Uint8Array): Page {
    const info = header.data_page_header_v2!;
    const entries = this.#checkCount(info.num_values);
    const repBytes = info.repetition_levels_byte_length;
    const levelBytes = repBytes + info.definition_levels_byte_length;
    const levels = new PageCursor(body.subarray(0, levelBytes));
    const reps = this.#levels(levels, this.#leaf.maxRep, entries, repBytes);
    levels.offset = repBytes;
    const defs = this.#levels(levels, this.#leaf.maxDef, entries, levelBytes - repBytes);
    const rest = body.subarray(levelBytes);
    const size = header.uncompressed_page_size - levelBytes;
    const page = info.is_compressed === false ? rest : this.#decompress(rest, size);
    return this.#page(entries, reps, defs, info.encoding, new PageCursor(page));
  }

  /** `length` is undefined where the levels are behind their length. */
  #levels(
    cursor: PageCursor,
    max: number,
    count: number,
    length: number | undefined,
  ): Uint8Array | undefined {
    if (max === 0) return undefined;
    const levels = new Uint8Array(count);
    this.#library.readRle(cursor, 32 - Math.clz32(max), levels, length);
    return levels;
  }

  #page(
    entries: number,
    reps: Uint8Array | undefined,
    defs: Uint8Array | undefined,
    encoding: Encoding,
    cursor: PageCursor,
  ): Page {
    const { maxDef } = this.#leaf;
    const count = defs === undefined ? entries : countOf(defs, maxDef);
    const rows = reps === undefined ? entries : countOf(reps, 0);
    if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
      const indexes = this.#indexes(cursor, count);
      return { entries, rows, reps, defs, values: this.#dictionary ?? NO_VALUES, indexes };
    }
    const values = this.#texts(encoding, cursor, count);
    return { entries, rows, reps, defs, values, indexes: undefined };
  }

  #indexes(cursor: PageCursor, count: number): Int32Array {
    const indexes = new Int32Array(count);
    if (count === 0) return indexes;
    const width = cursor.view.getUint8(cursor.offset++);
    if (width > 31) throw new RangeError('a dictionary index of too many bits');
    const rest = cursor.view.byteLength - cursor.offset;
    if (width > 0) this.#library.readRle(cursor, width, indexes, rest);
    const size = (this.#dictionary ?? NO_VALUES).ranges.length / 2;
    for (let i = 0; i < count; i++) {
      if (indexes[i] >>> 0 >= size) throw new RangeError('an index outside the dictionary');
    }
    return indexes;
  }

  #texts(encoding: Encoding, cursor: PageCursor, count: number): TextValues {
    const { kind, element } = this.#leaf;
    if (count === 0) return NO_VALUES;
    const isBytes = element.type === 'BYTE_ARRAY' || element.type === 'FIXED_LEN_BYTE_ARRAY';
    const texts = isBytes
      ? textOfBytes(kind, this.#byteArrays(encoding, cursor, count))
      : textOfNumbers(kind, this.#numbers(encoding, cursor, count), count);
    if (texts.unfit) this.#leaf.unfit = true;
    return texts;
  }

  #byteArrays(encoding: Encoding, cursor: PageCursor, count: number): ByteRanges {
    const { type, type_length: size } = this.#leaf.element;
    if (encoding === 'PLAIN') {
      return type === 'BYTE_ARRAY'
        ? plainByteArrays(cursor.bytes, cursor.offset, count)
        : fixedByteArrays(cursor.bytes, cursor.offset, count, size ?? 0);
    }
    const { delta, byteStreamSplit } = this.#library;
    let values: Uint8Array[] = new Array(count);
    if (encoding === 'DELTA_LENGTH_BYTE_ARRAY') delta.deltaLengthByteArray(cursor, count, values);
    else if (encoding === 'DELTA_BYTE_ARRAY') delta.deltaByteArray(cursor, count, values);
    else if (encoding === 'BYTE_STREAM_SPLIT') {
      values = byteStreamSplit(cursor, count, type!, size) as Uint8Array[];
    } else throw new Error(`unsupported encoding ${encoding}`);
    cursor.check();
    return joinByteArrays(values);
  }

  #numbers(encoding: Encoding, cursor: PageCursor, count: number): DecodedArray {
    const { type } = this.#leaf.element;
    const { readPlain, readRle, delta, byteStreamSplit } = this.#library;
    let values: DecodedArray;
    if (encoding === 'PLAIN') {
      values = readPlain(cursor, type!, count, undefined);
    } else if (encoding === 'RLE' && type === 'BOOLEAN') {
      const bits = new Uint8Array(count);
      readRle(cursor, 1, bits);
      values = Array.from(bits, (bit) => bit === 1);
    } else if (encoding === 'DELTA_BINARY_PACKED') {
      values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
      delta.deltaBinaryUnpack(cursor, count, values);
    } else if (encoding === 'BYTE_STREAM_SPLIT') {
      values = byteStreamSplit(cursor, count, type!, undefined);
    } else throw new Error(`unsupported encoding ${encoding}`);
    cursor.check();
    return values;
  }
}

const NO_VALUES: TextValues = { bytes: new Uint8Array(0), ranges: new Int32Array(0), unfit: false };

/** The reader that hyparquet's decoders take, over exactly one page. */
class PageCursor {
  readonly bytes: Uint8Array;
  readonly view: DataView<ArrayBuffer>;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Some decoders make views of the whole buffer without looking where the page ends. */
  check(): void {
    if (this.offset > this.bytes.length) throw new RangeError('a value ends behind its page');
  }
}

function countOf(levels: Uint8Array, level: number): number {
  let count = 0;
  for (let i = 0; i < levels.length; i++) if (levels[i] === level) count += 1;
  return count;
}

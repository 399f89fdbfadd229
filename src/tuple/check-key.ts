/**
 * Whether keys are exactly what the encoder makes of the cells in them: for fsck, and for chunks
 * from outside. Bytes that have one spelling a value (integers, booleans, dates, text) are looked
 * at where they lie; numbers and instants are decoded and encoded again.
 *
 * Texts of many keys are put one behind the other with a zero between and looked at together:
 * that is UTF-8 exactly when each text is, as a zero ends every sequence.
 */
import { ByteReader, ByteWriter, compareRanges, isUtf8Range } from '../bytes.ts';
import { DvError } from '../errors.ts';
import { dayNumber, NO_DAY } from './calendar.ts';
import { MAX_KEY_BYTES } from './key-codec.ts';
import { appendComponent, appendUnescaped, readComponent } from './key-component.ts';
import { integerEnd } from './key-integer.ts';
import type { ColumnType } from './schema.ts';

/** Texts put together before they are looked at. */
const TEXT_BYTES = 64 * 1024;
const DATE_BYTES = 10;

export class KeyChecker {
  readonly #types: readonly ColumnType[];
  readonly #texts = new ByteWriter(1024);
  readonly #cell = new ByteWriter(64);
  readonly #again = new ByteWriter(64);

  constructor(types: readonly ColumnType[]) {
    this.#types = types;
  }

  /** The key bytes[start..end), but for its texts. @throws DvError `corrupt` */
  check(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > MAX_KEY_BYTES) throw notCanonical();
    const types = this.#types;
    let at = start;
    for (let i = 0; i < types.length; i++) {
      at = this.#component(types[i], bytes, at, end, i === types.length - 1);
    }
    if (at !== end) throw new DvError('corrupt', 'a key has bytes behind its end');
    if (this.#texts.length > TEXT_BYTES) this.checkTexts();
  }

  /** The texts of the keys since the last time. @throws DvError `corrupt` */
  checkTexts(): void {
    const texts = this.#texts;
    const isText = isUtf8Range(texts.bytes, 0, texts.length);
    texts.clear();
    if (!isText) throw new DvError('corrupt', 'a key is not UTF-8');
  }

  /** Forgets texts that were not looked at: of keys that were refused. */
  reset(): void {
    this.#texts.clear();
  }

  /** Where the component at `at` ends. */
  #component(type: ColumnType, bytes: Uint8Array, at: number, end: number, last: boolean): number {
    switch (type) {
      case 'integer':
        return integerEnd(bytes, at, end);
      case 'boolean':
        if (at >= end || bytes[at] > 1) throw new DvError('corrupt', 'a boolean key is neither');
        return at + 1;
      case 'date':
        if (end - at < DATE_BYTES || dayNumber(bytes, at) === NO_DAY) {
          throw new DvError('corrupt', 'a date key is not a date');
        }
        return at + DATE_BYTES;
      case 'text':
      case 'json':
      case 'bytes':
        return this.#text(bytes, at, end, last);
      default:
        return this.#encodedAgain(type, bytes, at, end, last);
    }
  }

  #text(bytes: Uint8Array, at: number, end: number, last: boolean): number {
    const texts = this.#texts;
    const after = last ? end : appendUnescaped(texts, bytes, at, end);
    if (last) texts.raw(bytes, at, end);
    texts.u8(0);
    return after;
  }

  #encodedAgain(
    type: ColumnType,
    bytes: Uint8Array,
    at: number,
    end: number,
    last: boolean,
  ): number {
    const cell = this.#cell.clear();
    const again = this.#again.clear();
    const reader = new ByteReader(bytes.subarray(0, end), at);
    readComponent(reader, type, last, cell);
    if (!appendComponent(again, type, cell.bytes, 0, cell.length, last)) {
      throw new DvError('corrupt', `a key column of type ${type} holds something else`);
    }
    const after = reader.offset;
    if (compareRanges(again.bytes, 0, again.length, bytes, at, after) !== 0) throw notCanonical();
    return after;
  }
}

const notCanonical = (): DvError =>
  new DvError('corrupt', 'a key is not in its one canonical form');

/** Decoding and encoding again gives the same bytes. @throws DvError `corrupt` when not */
export function checkKey(key: Uint8Array, types: readonly ColumnType[]): void {
  const checker = new KeyChecker(types);
  checker.check(key, 0, key.length);
  checker.checkTexts();
}

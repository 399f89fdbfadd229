/**
 * Where records begin and end: one object a line (NDJSON), or the elements of one array. Both
 * read one record at a time out of the window and remember what they saw of the layout.
 *
 * Used by json-reader.ts, which turns FAILED into an error or, at the window's end, into more
 * bytes and another try.
 */

import { EXPECTED_ARRAY, EXPECTED_LINE_OBJECT, RECORD_LIMIT, TOO_LARGE } from './json-errors.ts';
import { ArrayLayout, LineLayout } from './json-layout.ts';
import type { RecordScanner } from './json-record.ts';
import {
  CLOSE_ARRAY,
  COMMA,
  CR,
  LF,
  OPEN_ARRAY,
  OPEN_OBJECT,
  type TokenScanner,
} from './json-tokens.ts';
import type { ByteWindow } from './json-window.ts';

export type Outcome = 'record' | 'starved' | 'failed' | 'done';

/** The window and its readers, and the place up to which everything has been read for good. */
export class Cursor {
  readonly window: ByteWindow;
  readonly tokens: TokenScanner;
  readonly records: RecordScanner;
  #line = 1;
  #lineStart = 0;

  constructor(window: ByteWindow, tokens: TokenScanner, records: RecordScanner) {
    this.window = window;
    this.tokens = tokens;
    this.records = records;
  }

  /** Everything before `at` has been read. */
  advance(at: number): void {
    this.window.start = at;
    this.#line = this.tokens.line;
    this.#lineStart = this.tokens.lineStart;
  }

  /** Back to where `advance` was last called; the window may have moved. */
  rewind(): void {
    this.tokens.bytes = this.window.bytes;
    this.tokens.base = this.window.base;
    this.tokens.line = this.#line;
    this.tokens.lineStart = this.#lineStart;
  }
}

export interface Frames {
  readonly layout: LineLayout | ArrayLayout;
  next(): Outcome;
}

export class LineFrames implements Frames {
  readonly layout = new LineLayout();
  readonly #cursor: Cursor;
  /** A record has been read; the rest of its line has not. */
  #behindRecord = false;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  next(): Outcome {
    const { window, tokens, records } = this.#cursor;
    let at = window.start;
    for (;;) {
      at = tokens.space(at);
      if (at === window.end) return this.#ranOut(at);
      if (window.bytes[at] !== LF) break;
      at = this.#endLine(at);
    }
    if (this.#behindRecord) return failed(tokens, at, 'expected a new line behind the object');
    if (window.bytes[at] !== OPEN_OBJECT) return failed(tokens, at, EXPECTED_LINE_OBJECT);
    if (records.members === 0) this.layout.sniff(tokens, at);
    const end = records.read(at, tokens.line);
    if (end < 0) return 'failed';
    if (end - at > RECORD_LIMIT) return failed(tokens, at, TOO_LARGE);
    this.#cursor.advance(end);
    this.#behindRecord = true;
    return 'record';
  }

  #ranOut(at: number): Outcome {
    if (!this.#cursor.window.ended) return 'starved';
    this.layout.finalNewline = !this.#behindRecord;
    this.#cursor.advance(at);
    return 'done';
  }

  #endLine(at: number): number {
    const { window, tokens } = this.#cursor;
    this.layout.newline ??= at > window.start && window.bytes[at - 1] === CR ? '\r\n' : '\n';
    tokens.line += 1;
    tokens.lineStart = window.base + at + 1;
    this.#behindRecord = false;
    this.#cursor.advance(at + 1);
    return at + 1;
  }
}

export class ArrayFrames implements Frames {
  readonly layout = new ArrayLayout();
  readonly #cursor: Cursor;
  #place: 'before' | 'opened' | 'behind element' | 'closed' = 'before';
  #count = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  next(): Outcome {
    const { window, tokens } = this.#cursor;
    const at = tokens.space(window.start);
    if (at === window.end && !window.ended) return 'starved';
    const byte = window.bytes[at];
    switch (this.#place) {
      case 'before':
        if (at === window.end) return 'done';
        if (byte !== OPEN_ARRAY) return failed(tokens, at, EXPECTED_ARRAY);
        this.#place = 'opened';
        this.#cursor.advance(at + 1);
        return this.next();
      case 'opened':
        if (byte === CLOSE_ARRAY) return this.#close(at);
        this.layout.open = this.#text(at);
        return this.#element(at);
      case 'behind element':
        if (byte === CLOSE_ARRAY) return this.#close(at);
        if (byte !== COMMA) return failed(tokens, at, 'expected a comma or "]"');
        return this.#followingElement(at + 1);
      case 'closed':
        if (at < window.end) return failed(tokens, at, 'expected nothing behind the array');
        this.layout.tail = this.#text(at);
        return 'done';
    }
  }

  /** What stands between the last `advance` and `at`. */
  #text(at: number): string {
    const { window } = this.#cursor;
    return window.bytes.toString('latin1', window.start, at);
  }

  #close(at: number): Outcome {
    this.layout.close = this.#text(at);
    this.#place = 'closed';
    this.#cursor.advance(at + 1);
    return this.next();
  }

  #followingElement(behindComma: number): Outcome {
    const { window, tokens } = this.#cursor;
    const at = tokens.space(behindComma);
    if (window.bytes[at] === CLOSE_ARRAY) {
      return failed(tokens, at, 'expected an object behind the comma');
    }
    if (this.#count === 1) this.layout.between = this.#text(at);
    return this.#element(at);
  }

  #element(at: number): Outcome {
    const { window, tokens, records } = this.#cursor;
    if (window.bytes[at] !== OPEN_OBJECT) return failed(tokens, at, 'expected an object');
    if (records.members === 0) this.layout.sniff(tokens, at);
    this.#count += 1;
    const end = records.read(at, tokens.line > 1 ? tokens.line : this.#count);
    if (end < 0) {
      this.#count -= 1;
      return 'failed';
    }
    if (end - at > RECORD_LIMIT) return failed(tokens, at, TOO_LARGE);
    this.#place = 'behind element';
    this.#cursor.advance(end);
    return 'record';
  }
}

function failed(tokens: TokenScanner, at: number, reason: string): Outcome {
  tokens.fail(at, reason);
  return 'failed';
}

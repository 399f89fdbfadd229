/** What can be wrong with a JSON file, as errors that name the place and show it. */
import { DvError, type ErrorCode } from '../errors.ts';
import { EMPTY_NAME, TOO_MANY_COLUMNS } from './json-record.ts';
import { LF, type TokenScanner } from './json-tokens.ts';
import type { ByteWindow } from './json-window.ts';

/** Bytes shown on each side of a fault. */
export const EXCERPT = 24;

/** Largest record, in bytes of the file. */
export const RECORD_LIMIT = 64 * 1024 * 1024;

/** Reasons with a hint or a code of their own. */
export const TOO_LARGE = `a record over ${RECORD_LIMIT / 1024 / 1024} MiB`;
export const EXPECTED_ARRAY = 'expected a "[", an array of objects';
export const EXPECTED_LINE_OBJECT = 'expected one object a line';

const CODES: Readonly<Record<string, ErrorCode>> = {
  [EMPTY_NAME]: 'bad-header',
  [TOO_MANY_COLUMNS]: 'too-many-columns',
  [TOO_LARGE]: 'record-too-large',
};

/** The error for `tokens.failedAt`; at the window's end the file itself is cut short. */
export function badJson(name: string, window: ByteWindow, tokens: TokenScanner): DvError {
  const at = tokens.failedAt;
  const line = tokens.line;
  const column = window.base + at - tokens.lineStart + 1;
  const excerpt = excerptAround(window, at);
  const expected = tokens.reason.startsWith('expected');
  const found = expected ? `, found ${describe(window, at)}` : '';
  return new DvError(
    CODES[tokens.reason] ?? 'bad-json',
    `"${name}", line ${line}, column ${column}: ${tokens.reason}${found}, near "${excerpt}"`,
    { hint: hintFor(tokens.reason, window.bytes[at]), data: { file: name, line, column, excerpt } },
  );
}

function hintFor(reason: string, byte: number): string | undefined {
  if (reason === EXPECTED_ARRAY && byte === 0x7b) {
    return 'if it holds one object a line, give it the extension .ndjson';
  }
  if (reason === EXPECTED_LINE_OBJECT && byte === 0x5b) {
    return 'if it holds an array of objects, give it the extension .json';
  }
  return undefined;
}

function describe(window: ByteWindow, at: number): string {
  if (at >= window.end) return 'the end of the file';
  const byte = window.bytes[at];
  if (byte === LF) return 'the end of the line';
  if (byte === 0x22) return 'a string';
  if (byte === 0x5b) return 'an array';
  if (byte === 0x7b) return 'an object';
  if (byte === 0x2d || (byte - 0x30) >>> 0 <= 9) return 'a number';
  const word = /^(true|false|null)/.exec(window.bytes.toString('latin1', at, at + 5));
  if (word !== null) return word[1];
  if (byte < 0x20 || byte === 0x7f) return 'a control character';
  return `"${String.fromCodePoint(window.bytes.toString('utf8', at, at + 4).codePointAt(0)!)}"`;
}

/** What stands round `at` in the record being read, on one line, cut at whole characters. */
function excerptAround(window: ByteWindow, at: number): string {
  const { bytes } = window;
  let start = Math.max(window.start, at - EXCERPT);
  let end = Math.min(window.end, at + EXCERPT);
  while (start < end && (bytes[start] & 0xc0) === 0x80) start += 1;
  while (end < window.end && (bytes[end] & 0xc0) === 0x80) end += 1;
  return bytes.toString('utf8', start, end).replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

export function invalidUtf8(name: string, window: ByteWindow, line: number): DvError {
  const offset = window.flaw!;
  return new DvError('invalid-utf8', `"${name}" is not UTF-8 at byte ${offset}, line ${line}`, {
    hint: window.utf16
      ? 'it looks like UTF-16: convert it to UTF-8 first'
      : 'JSON is UTF-8; if it is Latin-1, convert it: iconv -f LATIN1 -t UTF-8 FILE > NEW',
    data: { file: name, line, offset },
  });
}

export function fileEmpty(name: string, why: string): DvError {
  return new DvError('file-empty', `"${name}" ${why}`, {
    hint: 'a table has at least one column',
    data: { file: name },
  });
}

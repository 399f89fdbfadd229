/**
 * How a JSON file is laid out, from its first record and the text between records, as dialect
 * fields: so that what JSON.stringify, Python, pandas or a database wrote comes back the same.
 *
 * Used by json-frames.ts.
 */
import type { Dialect } from './contract.ts';
import { COLON, QUOTE, type TokenScanner } from './json-tokens.ts';

/** Longer gaps between records are nobody's layout. */
const MAX_GAP = 64;

/** White space in the first record. */
class RecordLayout {
  /** Between the opening brace and the first name. */
  inner = '';
  /** Behind the first colon. */
  behindColon = '';

  /** Looks at the object that starts at `at`, which may be cut off. */
  sniff(tokens: TokenScanner, at: number): void {
    const { line, lineStart } = tokens;
    const name = tokens.space(at + 1);
    const close = tokens.bytes[name] === QUOTE ? tokens.string(name + 1) : -1;
    if (close >= 0 && tokens.bytes[close + 1] === COLON) {
      const value = tokens.space(close + 2);
      this.inner = latin1(tokens.bytes, at + 1, name);
      this.behindColon = latin1(tokens.bytes, close + 2, value);
    }
    tokens.line = line;
    tokens.lineStart = lineStart;
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

export class LineLayout extends RecordLayout {
  newline: '\n' | '\r\n' | undefined;
  finalNewline = true;

  dialect(): Partial<Dialect> {
    return {
      newline: this.newline ?? '\n',
      finalNewline: this.finalNewline,
      ...(this.behindColon === ' ' ? { spaced: true } : {}),
    };
  }
}

export class ArrayLayout extends RecordLayout {
  /** Behind the opening bracket, from object to object, before the closing bracket. */
  open = '';
  between: string | undefined;
  close = '';
  /** Behind the closing bracket. */
  tail = '';

  dialect(): Partial<Dialect> {
    const text = this.open + this.inner + this.tail;
    return {
      ...(text.includes('\n') ? { newline: text.includes('\r\n') ? '\r\n' : '\n' } : {}),
      finalNewline: this.tail.endsWith('\n'),
      ...(this.inner.includes('\n') ? this.#indented() : this.#oneLineObjects()),
    };
  }

  /** The layout of JSON.stringify with an indent; the nearest one where it is not quite that. */
  #indented(): Partial<Dialect> {
    const unit = /^\r?\n( +|\t+)$/.exec(this.open)?.[1];
    return {
      indent: Math.min(unit?.length ?? 2, 10),
      ...(unit?.startsWith('\t') ? { tabs: true } : {}),
      ...(this.behindColon === '' ? { spaced: false } : {}),
    };
  }

  #oneLineObjects(): Partial<Dialect> {
    const spaced = this.behindColon === ' ';
    const plain = spaced ? ', ' : ',';
    const fallback = this.open === '' ? plain : `,${this.open}`;
    const gaps = [this.open, this.between ?? fallback, this.close] as const;
    const usual = gaps[0] === '' && gaps[1] === plain && gaps[2] === '';
    return {
      indent: 0,
      ...(spaced ? { spaced: true } : {}),
      ...(usual || gaps.some((gap) => gap.length > MAX_GAP) ? {} : { gaps }),
    };
  }
}

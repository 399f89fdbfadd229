/**
 * The members of one JSON object in a text, with the exact text of every value: a number is
 * what was written, never a JavaScript number. For requests and records that come one by one;
 * files go through json-reader.ts.
 *
 * Names must be distinct. Nested values are checked and come without the white space in them.
 */
import { DvError } from '../errors.ts';
import { fits } from '../tuple/cell-type.ts';
import type { Cell } from '../tuple/schema.ts';

export interface JsonMember {
  readonly name: string;
  readonly kind: 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array';
  /** Of a string its value; of all others their JSON text. */
  readonly text: string;
}

/** Where a text comes from, for errors. */
export interface JsonPlace {
  /** Line or record number, from 1. */
  readonly line: number;
}

const SPACE = /[ \t\r\n]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\.[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
/** Strings (kept) and white space between tokens (dropped). */
const STRINGS_AND_SPACE = /("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+/g;

/** As a cell: a string's value, another value's text, null for null. */
export const cellOfMember = ({ kind, text }: JsonMember): Cell => (kind === 'null' ? null : text);

export class JsonMemberReader {
  readonly #text: string;
  readonly #place: JsonPlace;
  /** Offset of the next character. */
  at: number;

  constructor(text: string, place: JsonPlace, at = 0) {
    this.#text = text;
    this.#place = place;
    this.at = at;
  }

  /** The members of the object here. @throws DvError `bad-json` */
  readObject(): JsonMember[] {
    this.#expect('{');
    const members: JsonMember[] = [];
    const names = new Set<string>();
    if (this.#take('}')) return members;
    for (;;) {
      this.skipSpace();
      const name = this.#string();
      if (names.has(name)) throw this.#fail(`the name ${JSON.stringify(name)} comes twice`);
      names.add(name);
      this.#expect(':');
      members.push(this.#value(name));
      if (this.#take('}')) return members;
      this.#expect(',');
    }
  }

  /** Passes over the text when it comes next. */
  #take(character: string): boolean {
    this.skipSpace();
    if (this.#text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  /** The same, for whoever reads a list. */
  take(character: string): boolean {
    return this.#take(character);
  }

  /** @throws DvError `bad-json` */
  expect(character: string): void {
    this.#expect(character);
  }

  /** @throws DvError `bad-json` unless only white space is left */
  end(): void {
    this.skipSpace();
    if (this.at < this.#text.length) throw this.#fail('there is something behind the value');
  }

  skipSpace(): void {
    SPACE.lastIndex = this.at;
    this.at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#fail(`'${character}' is missing`);
  }

  #string(): string {
    const token = this.#token(STRING);
    if (token === undefined) throw this.#fail('a string is missing or not ended');
    if (!token.includes('\\')) return token.slice(1, -1);
    try {
      return JSON.parse(token) as string;
    } catch {
      throw this.#fail('a string has a bad escape');
    }
  }

  #token(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const token = pattern.exec(this.#text)?.[0];
    if (token !== undefined) this.at += token.length;
    return token;
  }

  #value(name: string): JsonMember {
    this.skipSpace();
    const first = this.#text[this.at];
    if (first === '"') return { name, kind: 'string', text: this.#string() };
    if (first === '{' || first === '[') {
      const kind = first === '{' ? 'object' : 'array';
      return { name, kind, text: this.#nested() };
    }
    const word = this.#token(WORD);
    if (word !== undefined) return { name, kind: word === 'null' ? 'null' : 'boolean', text: word };
    const number = this.#token(NUMBER);
    if (number === undefined || number === '') throw this.#fail('a value is missing');
    return { name, kind: 'number', text: number };
  }

  #nested(): string {
    const start = this.at;
    let depth = 0;
    do {
      const character = this.#text[this.at];
      if (character === undefined) throw this.#fail('a bracket is not closed');
      if (character === '"') {
        if (this.#token(STRING) === undefined) throw this.#fail('a string is not ended');
        continue;
      }
      if (character === '{' || character === '[') depth += 1;
      else if (character === '}' || character === ']') depth -= 1;
      this.at += 1;
    } while (depth > 0);
    const text = this.#text.slice(start, this.at);
    if (!fits('json', text)) throw this.#fail('a nested value is no JSON');
    return text.replace(STRINGS_AND_SPACE, '$1');
  }

  #fail(what: string): DvError {
    const { line } = this.#place;
    const column = this.at + 1;
    return new DvError('bad-json', `line ${line}, column ${column}: ${what}`, {
      hint: 'every record is one JSON object',
      data: { line, column },
    });
  }
}

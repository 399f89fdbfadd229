/**
 * JSON as a tree that keeps the text of everything: numbers are never made into JavaScript
 * numbers, and what is not touched is written back as it stood.
 */
import { fits } from './cell-type.ts';

export type JsonTree = JsonArray | JsonObject | JsonScalar;

export interface JsonScalar {
  readonly kind: 'scalar';
  readonly raw: string;
  /** One text for all spellings of a value: no white space, sorted names, plain escapes. */
  readonly canonical: string;
}

export interface JsonArray {
  readonly kind: 'array';
  readonly raw: string;
  readonly canonical: string;
  readonly elements: readonly JsonTree[];
}

export interface JsonObject {
  readonly kind: 'object';
  readonly raw: string;
  readonly canonical: string;
  readonly members: ReadonlyMap<string, JsonMember>;
}

export interface JsonMember {
  /** The name in its quotes. */
  readonly raw: string;
  readonly value: JsonTree;
}

/** Deeper nesting is left to a person. */
const MOST_LEVELS = 200;
const SPACE = /[ \t\r\n]*/y;
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:[\]{}"]+|[[\]{}]/y;

/** undefined: no JSON, nested too deep, or an object that has a name twice. */
export function parseJsonTree(text: string): JsonTree | undefined {
  return fits('json', text) ? new TreeReader(text).read() : undefined;
}

/** The text is known to be JSON. */
class TreeReader {
  readonly #text: string;
  #at = 0;
  #isRefused = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonTree | undefined {
    const tree = this.#value(0);
    return this.#isRefused ? undefined : tree;
  }

  #value(level: number): JsonTree {
    this.#skipSpace();
    const start = this.#at;
    if (level > MOST_LEVELS) this.#isRefused = true;
    if (this.#isRefused) return { kind: 'scalar', raw: '', canonical: '' };
    const token = this.#token();
    if (token === '[') return this.#array(start, level);
    if (token === '{') return this.#object(start, level);
    const canonical = token[0] === '"' ? JSON.stringify(JSON.parse(token)) : token;
    return { kind: 'scalar', raw: token, canonical };
  }

  #array(start: number, level: number): JsonTree {
    const elements: JsonTree[] = [];
    while (!this.#isRefused && !this.#closes(']')) elements.push(this.#value(level + 1));
    const canonical = `[${elements.map((element) => element.canonical).join(',')}]`;
    return { kind: 'array', raw: this.#text.slice(start, this.#at), canonical, elements };
  }

  #object(start: number, level: number): JsonTree {
    const members = new Map<string, JsonMember>();
    while (!this.#isRefused && !this.#closes('}')) {
      const raw = this.#token();
      const name = JSON.parse(raw) as string;
      this.#skipSpace();
      this.#at += 1;
      if (members.has(name)) this.#isRefused = true;
      members.set(name, { raw, value: this.#value(level + 1) });
    }
    const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1));
    const canonical = sorted.map(
      ([name, { value }]) => `${JSON.stringify(name)}:${value.canonical}`,
    );
    const raw = this.#text.slice(start, this.#at);
    return { kind: 'object', raw, canonical: `{${canonical.join(',')}}`, members };
  }

  /** Passes over the comma before the next value, or over the bracket. */
  #closes(bracket: string): boolean {
    this.#skipSpace();
    const next = this.#text[this.#at];
    if (next === ',' || next === bracket) this.#at += 1;
    this.#skipSpace();
    return next === bracket;
  }

  #token(): string {
    TOKEN.lastIndex = this.#at;
    const token = TOKEN.exec(this.#text)?.[0] ?? '';
    this.#at += token.length;
    return token;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }
}

/**
 * Debezium's envelopes into rows: `{before, after, op, source}`, bare or as the `payload` of
 * `{schema, payload}`.
 *
 *   op c, r, u   `after` is the row; when `before` has another key, that row goes first
 *   op d         the row of `before` goes, or that of the message's key where it is null
 *   null value   a tombstone: the row of the message's key goes (it follows a `d`)
 *   others       are refused: a truncation (`t`) is no change of rows
 *
 * What dv itself wrote names the table's key and types in the header `dv-schema`.
 */
import { CLOSE_OBJECT, COLON, COMMA, OPEN_OBJECT, QUOTE } from '../../formats/json-tokens.ts';
import type { ColumnType } from '../../tuple/schema.ts';
import { COLUMN_TYPES } from '../../tuple/schema.ts';
import type { Verdict } from './collector.ts';
import { JsonCollector } from './json-collector.ts';
import type { Flaw, RecordBlock } from './record.ts';

/** Header that names key and types, as JSON: `{"key":["id"],"types":{"id":"integer"}}`. */
export const SCHEMA_HEADER = 'dv-schema';

/** What Debezium writes where a large value did not change and was not in the log. */
const UNAVAILABLE = '"__debezium_unavailable_value"';

/** Offsets of members' values; -1: absent. */
interface Members {
  readonly op: number;
  readonly before: number;
  readonly after: number;
  readonly payload: number;
  readonly schema: number;
  readonly behind: number;
}

const NAMES: readonly (keyof Members)[] = ['op', 'before', 'after', 'payload', 'schema'];

export class DebeziumCollector extends JsonCollector {
  #header = '';
  #types: Readonly<Record<string, ColumnType>> = {};

  override add(block: RecordBlock, i: number): Verdict {
    this.#learn(block.header?.(i, SCHEMA_HEADER));
    return super.add(block, i);
  }

  protected override addCopied(block: RecordBlock, i: number, at: number): Verdict {
    let members = this.#members(at);
    if (members !== undefined && this.tokens.space(members.behind) !== this.end) {
      this.tokens.fail(members.behind, 'expected nothing behind the object');
      members = undefined;
    }
    if (members !== undefined && members.op < 0 && members.payload >= 0) {
      if (this.#isNull(members.payload)) return this.addTombstone(block, i);
      members = this.#members(members.payload);
    }
    return members === undefined ? this.flawAt(at) : this.#addChange(block, i, members);
  }

  #addChange(block: RecordBlock, i: number, members: Members): Verdict {
    const op = members.op < 0 ? '' : this.#text(members.op);
    switch (op) {
      case 'c':
      case 'r':
      case 'u':
        return this.#addUpsert(block, i, members);
      case 'd':
        if (this.#isNull(members.before)) return this.addTombstone(block, i);
        return this.addObject(block, i, members.before, true);
      case 't':
        return flaw('a truncation of the whole table, which is no change of rows');
      case '':
        return flaw('no Debezium envelope: it has no "op"');
      default:
        return flaw(`the operation "${op}", which is no change of a row`);
    }
  }

  #addUpsert(block: RecordBlock, i: number, { before, after }: Members): Verdict {
    if (this.#isNull(after)) return flaw('a change without "after"');
    if (this.#holdsUnavailable(after)) return flaw('a value that Debezium did not have');
    const moved = this.#movedKey(before, after);
    if (moved) {
      const verdict = this.addObject(block, i, before, true, true);
      if (verdict !== 'added') return verdict;
    }
    const verdict = this.addObject(block, i, after, false);
    if (verdict !== 'added' && moved) this.takeBack();
    return verdict;
  }

  /** Whether the row had another key before. */
  #movedKey(before: number, after: number): boolean {
    const key = this.options.key ?? this.key;
    if (key === undefined || this.#isNull(before)) return false;
    const from = this.#keyCells(before, key);
    const to = this.#keyCells(after, key);
    return from !== undefined && to !== undefined && from !== to;
  }

  /** The text of the key's values, one behind the other; undefined when one is missing. */
  #keyCells(at: number, key: readonly string[]): string | undefined {
    const found = new Map<string, string>();
    this.#eachMember(at, (name, value, end) => {
      if (key.includes(name)) found.set(name, this.#slice(value, end));
    });
    const cells = key.map((name) => found.get(name));
    return cells.includes(undefined) ? undefined : cells.join('\n');
  }

  #holdsUnavailable(at: number): boolean {
    const end = this.tokens.nested(at);
    return end > 0 && this.#slice(at, end).includes(UNAVAILABLE);
  }

  protected override keyObject(text: string): string | Flaw {
    const object = super.keyObject(text);
    if (typeof object !== 'string' || !object.startsWith('{')) return object;
    const bytes = Buffer.from(object);
    const at = this.copy(bytes, 0, bytes.length);
    const members = this.#members(at);
    if (members === undefined || members.payload < 0 || members.schema < 0) return object;
    const end = this.tokens.nested(members.payload);
    return end < 0 ? object : this.#slice(members.payload, end);
  }

  #members(at: number): Members | undefined {
    const found: Record<string, number> = {};
    for (const name of NAMES) found[name] = -1;
    const behind = this.#eachMember(at, (name, value) => {
      if (Object.hasOwn(found, name)) found[name] = value;
    });
    return behind < 0 ? undefined : ({ ...found, behind } as unknown as Members);
  }

  /** Walks an object's members; the offset behind it, or -1 and `tokens` says why. */
  #eachMember(start: number, visit: (name: string, value: number, end: number) => void): number {
    const { tokens } = this;
    const b = tokens.bytes;
    if (b[start] !== OPEN_OBJECT) return tokens.fail(start, 'expected an object');
    let at = tokens.space(start + 1);
    if (b[at] === CLOSE_OBJECT) return at + 1;
    for (;;) {
      if (b[at] !== QUOTE) return tokens.fail(at, 'expected a name in quotes');
      const close = tokens.string(at + 1);
      if (close < 0) return -1;
      const colon = tokens.space(close + 1);
      if (b[colon] !== COLON) return tokens.fail(colon, 'expected a colon behind a name');
      const value = tokens.space(colon + 1);
      const end = tokens.nested(value);
      if (end < 0) return -1;
      visit(this.#slice(at + 1, close), value, end);
      at = tokens.space(end);
      if (b[at] === CLOSE_OBJECT) return at + 1;
      if (b[at] !== COMMA) return tokens.fail(at, 'expected a comma or "}"');
      at = tokens.space(at + 1);
    }
  }

  #slice(start: number, end: number): string {
    return Buffer.from(
      this.tokens.bytes.buffer,
      this.tokens.bytes.byteOffset + start,
      end - start,
    ).toString();
  }

  #isNull(at: number): boolean {
    return at < 0 || this.tokens.bytes[at] === 0x6e;
  }

  #text(at: number): string {
    if (this.tokens.bytes[at] !== QUOTE) return '';
    return this.#slice(at + 1, this.tokens.string(at + 1));
  }

  #learn(header: Uint8Array | undefined): void {
    if (header === undefined) return;
    const text = Buffer.from(header).toString();
    if (text === this.#header) return;
    this.#header = text;
    const told = parseSchemaHeader(text);
    if (told === undefined) return;
    this.key = told.key;
    this.#types = told.types;
  }

  override types(): Readonly<Record<string, ColumnType>> {
    return { ...super.types(), ...this.#types };
  }
}

function flaw(reason: string): Flaw {
  return { code: 'bad-json', reason };
}

interface ToldSchema {
  readonly key: readonly string[] | undefined;
  readonly types: Readonly<Record<string, ColumnType>>;
}

/** undefined: it is not ours to understand; the records are read without it. */
function parseSchemaHeader(text: string): ToldSchema | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { key, types } = value as { readonly key?: unknown; readonly types?: unknown };
  const names = Array.isArray(key) && key.every((name) => typeof name === 'string') ? key : [];
  const told = typeof types === 'object' && types !== null ? Object.entries(types) : [];
  const known = told.filter((entry): entry is [string, ColumnType] =>
    (COLUMN_TYPES as readonly unknown[]).includes(entry[1]),
  );
  return { key: names.length > 0 ? names : undefined, types: Object.fromEntries(known) };
}

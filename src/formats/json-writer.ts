/**
 * The writer of both JSON formats. What a cell becomes is decided by its type as in
 * tuple/json-value.ts, on bytes: a number, boolean or JSON cell is written bare where it is one
 * and as a string where it is not, so no cell is ever lost.
 */
import { ByteWriter } from '../bytes.ts';
import { CELL_TESTS } from '../tuple/cell-type.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import type { Column, ColumnType, Schema } from '../tuple/schema.ts';
import type { Dialect, TableWriter } from './contract.ts';
import { breakLine, type NestedStyle, StringStyle, writeNested, writeString } from './json-text.ts';
import { CLOSE_OBJECT, COMMA, OPEN_OBJECT, SPACE } from './json-tokens.ts';

const NULL = Buffer.from('null');
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const LEVELS_IN_ARRAY = 1;

/** What stands around and between objects. */
interface Frame {
  readonly open: Buffer;
  readonly between: Buffer;
  readonly close: Buffer;
  /** The same for a file without rows. */
  readonly empty: Buffer;
}

export class JsonWriter implements TableWriter {
  readonly #columns: readonly Column[];
  readonly #names: readonly Buffer[];
  /** Columns in the order their members are written. */
  readonly #order: readonly number[];
  readonly #frame: Frame;
  readonly #nested: NestedStyle;
  readonly #strings: StringStyle;
  readonly #writesNulls: boolean;
  readonly #bom: boolean;
  readonly #out = new ByteWriter(64 * 1024);
  #rows = 0;

  constructor(schema: Schema, dialect: Dialect) {
    this.#columns = schema.columns;
    this.#order = memberOrder(schema, dialect);
    this.#strings = new StringStyle(dialect);
    this.#nested = nestedStyle(dialect);
    this.#frame = frameOf(dialect, this.#nested);
    this.#names = schema.columns.map((column) => this.#memberName(column.name));
    this.#writesNulls = dialect.nulls !== 'absent';
    this.#bom = dialect.bom === true;
  }

  async write(batch: RowBatch): Promise<Uint8Array | undefined> {
    const out = this.#out.clear();
    for (let row = 0; row < batch.rows; row++) {
      if (this.#rows > 0) out.raw(this.#frame.between);
      else this.#start(this.#frame.open);
      this.#writeRow(batch, row);
      this.#rows += 1;
    }
    return out.length === 0 ? undefined : out.take();
  }

  async end(): Promise<Uint8Array | undefined> {
    const out = this.#out.clear();
    if (this.#rows === 0) this.#start(this.#frame.empty);
    else out.raw(this.#frame.close);
    return out.length === 0 ? undefined : out.take();
  }

  #start(open: Buffer): void {
    if (this.#bom) this.#out.raw(BOM);
    this.#out.raw(open);
  }

  /** The name in quotes and its colon. */
  #memberName(name: string): Buffer {
    const out = new ByteWriter();
    const bytes = Buffer.from(name);
    writeString(out, bytes, 0, bytes.length, this.#strings);
    return out.raw(Buffer.from(this.#nested.spaceAfterColon ? ': ' : ':')).take();
  }

  #writeRow(batch: RowBatch, row: number): void {
    const out = this.#out;
    const pretty = this.#nested.indent.length > 0;
    const { cells, columns } = batch;
    let members = 0;
    out.u8(OPEN_OBJECT);
    for (const column of this.#order) {
      const slot = (row * columns + column) * 2;
      const start = cells[slot];
      if (start < 0 && !this.#writesNulls) continue;
      if (members++ > 0) {
        out.u8(COMMA);
        if (this.#nested.spaceAfterComma) out.u8(SPACE);
      }
      if (pretty) breakLine(out, this.#nested, LEVELS_IN_ARRAY + 1);
      out.raw(this.#names[column]);
      if (start < 0) out.raw(NULL);
      else this.#writeCell(this.#columns[column].type, batch.bytes, start, cells[slot + 1]);
    }
    if (pretty && members > 0) breakLine(out, this.#nested, LEVELS_IN_ARRAY);
    out.u8(CLOSE_OBJECT);
  }

  #writeCell(type: ColumnType, b: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    if (!isBare(type, b, start, end)) writeString(out, b, start, end, this.#strings);
    else if (type !== 'json') out.raw(b, start, end);
    else writeNested(out, b, start, end, this.#nested, LEVELS_IN_ARRAY + 1);
  }
}

/** Whether a cell is a JSON value by itself; others become strings. */
function isBare(type: ColumnType, b: Uint8Array, start: number, end: number): boolean {
  switch (type) {
    case 'integer':
    case 'decimal':
    case 'float': // NaN and Infinity end with a letter
      return (b[end - 1] - 0x30) >>> 0 <= 9 && CELL_TESTS[type](b, start, end);
    case 'boolean':
    case 'json':
      return CELL_TESTS[type](b, start, end);
    default:
      return false;
  }
}

/** As the dialect says; columns it does not know come last. */
function memberOrder(schema: Schema, dialect: Dialect): number[] {
  const rank = new Map(dialect.members?.map((name, i) => [name, i]));
  const rankOf = (column: number) => rank.get(schema.columns[column].name) ?? rank.size;
  return schema.columns.map((_, i) => i).sort((a, b) => rankOf(a) - rankOf(b));
}

function nestedStyle(dialect: Dialect): NestedStyle {
  const depth = dialect.format === 'ndjson' ? 0 : (dialect.indent ?? 2);
  return {
    spaceAfterColon: dialect.spaced ?? depth > 0,
    spaceAfterComma: depth === 0 && dialect.spaced === true,
    indent: Buffer.alloc(depth, dialect.tabs === true ? '\t' : ' '),
    newline: Buffer.from(dialect.newline ?? '\n'),
  };
}

function frameOf(dialect: Dialect, style: NestedStyle): Frame {
  const newline = dialect.newline ?? '\n';
  const last = dialect.finalNewline === false ? '' : newline;
  if (dialect.format === 'ndjson') return frame('', newline, last, '');
  const empty = `[]${last}`;
  if (style.indent.length > 0) {
    const line = `${newline}${style.indent.toString()}`;
    return frame(`[${line}`, `,${line}`, `${newline}]${last}`, empty);
  }
  const [open, between, close] = dialect.gaps ?? ['', style.spaceAfterComma ? ', ' : ',', ''];
  return frame(`[${open}`, between, `${close}]${last}`, empty);
}

function frame(open: string, between: string, close: string, empty: string): Frame {
  return {
    open: Buffer.from(open),
    between: Buffer.from(between),
    close: Buffer.from(close),
    empty: Buffer.from(empty),
  };
}

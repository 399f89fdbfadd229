/**
 * A row writer over HTTP: `POST /branches/{branch}/changes` of a server (docs/http-api.md).
 * Every cell goes as a JSON string, so its exact text arrives; types are named beside it.
 *
 * A request that was lost may have been done. With a source's offsets the next one tells
 * (`offsets-moved`); others carry a key of their own and are safe to send again.
 */
import { ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';
import type { HttpExchange } from '../sync/http-exchange.ts';
import { notDv } from '../sync/http-failure.ts';
import type { Column, Schema } from '../tuple/schema.ts';
import type {
  RowWriter,
  SourceOffsets,
  TableWrites,
  WriteBatch,
  WriteRequest,
  WriteResult,
} from './contract.ts';

/** Larger bodies are refused by servers. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const NDJSON = 'application/x-ndjson';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const NULL = Buffer.from('null');
const HEX = Buffer.from('0123456789abcdef');

export interface HttpWriterOptions {
  /** 16 random hex digits. */
  readonly randomId: () => string;
  /** Makes a branch that is not there, before the first rows go into it; undefined: it is there. */
  readonly createBranch?: (() => Promise<void>) | undefined;
}

/** Schema of a table as a branch of a server has it; undefined: there is none yet. */
export async function readRemoteSchema(
  http: HttpExchange,
  branch: string,
  table: string,
): Promise<Schema | undefined> {
  const path = `${http.address.base}/tables?at=${encodeURIComponent(branch)}`;
  let value: unknown;
  try {
    ({ value } = await http.json({ method: 'GET', path }));
  } catch (error) {
    // A branch without a commit has no table.
    if ((error as DvError).code === 'bad-revision') return undefined;
    throw error;
  }
  const { tables } = shaped<{ tables: readonly ToldTable[] }>(value, ['tables'], http.address.url);
  const found = tables.find((one) => one.table === table);
  if (found === undefined) return undefined;
  const key = found.key.map((name) => found.columns.findIndex((column) => column.name === name));
  return { columns: found.columns, key };
}

interface ToldTable {
  readonly table: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
}

export function createHttpWriter(http: HttpExchange, options: HttpWriterOptions): RowWriter {
  return new HttpRowWriter(http, options);
}

class HttpRowWriter implements RowWriter {
  readonly #http: HttpExchange;
  readonly #run: string;
  /** Name of each request without offsets, for as long as it is tried. */
  readonly #names = new WeakMap<WriteRequest, string>();
  #requests = 0;
  #createBranch: HttpWriterOptions['createBranch'];

  constructor(http: HttpExchange, { randomId, createBranch }: HttpWriterOptions) {
    this.#http = http;
    this.#run = randomId();
    this.#createBranch = createBranch;
  }

  async write(request: WriteRequest): Promise<WriteResult> {
    const { branch, tables, source } = request;
    if (tables.length > 1) throw new DvError('bad-option', 'one table a request goes to a server');
    const [table] = tables;
    const opField = table?.batch?.deletes === undefined ? undefined : freeName(table.batch);
    const bytes = table?.batch === undefined ? new Uint8Array() : encodeBatch(table.batch, opField);
    if (bytes.length > MAX_BODY_BYTES) throw tooLarge(table?.table ?? '', bytes.length);
    const query = queryOf(request, table, opField);
    const headers: Record<string, string> =
      source === undefined
        ? { 'idempotency-key': this.#nameOf(request) }
        : { 'dv-source': asciiJson(source) };
    const path = `${this.#branch(branch)}/changes?${query}`;
    await this.#createBranch?.();
    const { value } = await this.#http.json({ method: 'POST', path, bytes, type: NDJSON, headers });
    this.#createBranch = undefined;
    return shaped<WriteResult>(value, ['commit', 'changed', 'tables'], this.#http.address.url);
  }

  async readOffsets(branch: string, source: string): Promise<SourceOffsets | null> {
    const path = `${this.#branch(branch)}/offsets?source=${encodeURIComponent(source)}`;
    const { value } = await this.#http.json({ method: 'GET', path });
    const { offsets } = shaped<{ offsets: SourceOffsets | null }>(
      value,
      ['offsets'],
      this.#http.address.url,
    );
    return offsets;
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  #branch(branch: string): string {
    return `${this.#http.address.base}/branches/${encodeURIComponent(branch)}`;
  }

  #nameOf(request: WriteRequest): string {
    const known = this.#names.get(request) ?? `${this.#run}-${++this.#requests}`;
    this.#names.set(request, known);
    return known;
  }
}

function queryOf(
  { message, author, drift, base, exact }: WriteRequest,
  table: TableWrites | undefined,
  opField: string | undefined,
): string {
  const query = new URLSearchParams();
  if (table !== undefined) query.set('table', table.table);
  if (opField !== undefined) query.set('op-field', opField);
  for (const name of table?.key ?? []) query.append('key', name);
  for (const [name, type] of Object.entries(table?.types ?? {})) {
    query.append('type', `${name}:${type}`);
  }
  query.set('message', message);
  query.set('author', `${author.name} <${author.email}>`);
  if (drift !== undefined) query.set('drift', drift);
  if (base !== undefined) query.set('base', base);
  if (exact === true) query.set('exact', '1');
  return query.toString();
}

/** A name that no column has. */
function freeName({ columns }: WriteBatch): string {
  let name = 'op';
  while (columns.includes(name)) name = `_${name}`;
  return name;
}

/** A line of JSON a row; with `opField` it says in every row whether it is a delete. */
export function encodeBatch(
  { columns, rows, deletes }: WriteBatch,
  opField: string | undefined,
): Uint8Array {
  const names = columns.map((name) => Buffer.from(`${JSON.stringify(name ?? '')}:`));
  const ops =
    opField === undefined
      ? undefined
      : ['u', 'd'].map((op) => Buffer.from(`${JSON.stringify(opField)}:"${op}"`));
  const out = new ByteWriter(64 * 1024);
  for (let row = 0; row < rows.rows; row++) {
    out.u8(0x7b);
    let isFirst = true;
    if (ops !== undefined) {
      out.raw(ops[deletes?.[row] ?? 0]);
      isFirst = false;
    }
    for (let column = 0; column < columns.length; column++) {
      if (columns[column] === undefined) continue;
      if (!isFirst) out.u8(COMMA);
      isFirst = false;
      out.raw(names[column]);
      const at = (row * rows.columns + column) * 2;
      if (rows.cells[at] < 0) out.raw(NULL);
      else appendString(out, rows.bytes, rows.cells[at], rows.cells[at + 1]);
    }
    out.u8(0x7d).u8(0x0a);
  }
  return out.bytes.subarray(0, out.length);
}

function appendString(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  out.reserve((end - start) * 6 + 2);
  out.u8(QUOTE);
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE || byte === BACKSLASH) out.u8(BACKSLASH).u8(byte);
    else if (byte < 0x20) {
      out
        .u8(BACKSLASH)
        .u8(0x75)
        .u8(0x30)
        .u8(0x30)
        .u8(HEX[byte >> 4])
        .u8(HEX[byte & 15]);
    } else out.u8(byte);
  }
  out.u8(QUOTE);
}

/** JSON that a header can carry. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function shaped<T>(value: unknown, fields: readonly string[], url: string): T {
  const isObject = typeof value === 'object' && value !== null;
  if (isObject && fields.every((field) => field in value)) return value as T;
  throw notDv(url, `its answer lacks '${fields.join("', '")}'`);
}

/** Told as a fault of the rows: half of them may fit. */
function tooLarge(table: string, bytes: number): DvError {
  return new DvError(
    'record-too-large',
    `rows for '${table}' take ${bytes} bytes, and a request ${MAX_BODY_BYTES} at most`,
    { data: { table, bytes, limit: MAX_BODY_BYTES } },
  );
}

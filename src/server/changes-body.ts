/**
 * The body of `POST /branches/{branch}/changes`: rows as NDJSON, or as one JSON array.
 *
 *   1. With a table in the query, a record is a row of it. What to do with it: the query's
 *      `op`, or the record's own member named by `op-field`, which is then no cell.
 *   2. Without, a record is `{"table": ..., "op": ..., "row": {...}}`; `op` may be left out.
 *
 * Cells keep the text of the numbers in the body. Ops have the names of several worlds:
 *   upsert: upsert insert create u c r    patch: patch update    delete: delete remove d
 */
import { DvError } from '../errors.ts';
import { cellOfMember, type JsonMember, JsonMemberReader } from '../formats/json-members.ts';
import type { RowWrite, TableWrites } from '../live/contract.ts';
import type { Cell } from '../tuple/schema.ts';

export type RowOp = RowWrite['op'];

export interface ChangesOptions {
  readonly table: string | undefined;
  readonly op: RowOp;
  readonly opField: string | undefined;
  readonly key: readonly string[] | undefined;
}

const OPS: ReadonlyMap<string, RowOp> = new Map(
  Object.entries({
    upsert: ['upsert', 'insert', 'create', 'u', 'c', 'r'],
    patch: ['patch', 'update'],
    delete: ['delete', 'remove', 'd'],
  }).flatMap(([op, names]) => names.map((name): [string, RowOp] => [name, op as RowOp])),
);

/** @throws DvError `bad-option` */
export function parseOp(name: string, data: Readonly<Record<string, unknown>> = {}): RowOp {
  const op = OPS.get(name);
  if (op !== undefined) return op;
  throw new DvError('bad-option', `"${name.slice(0, 40)}" is nothing that can be done to a row`, {
    hint: 'upsert, patch or delete',
    data,
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** The body as text. @throws DvError `invalid-utf8` */
export function decodeBody(body: Uint8Array): string {
  try {
    return UTF8.decode(body);
  } catch (cause) {
    throw new DvError('invalid-utf8', 'the body is not valid UTF-8', { cause });
  }
}

/**
 * The writes by table, each in the order of the body.
 * @throws DvError `bad-json`, `bad-option`, `bad-request` (a record says too little)
 */
export function parseChanges(
  text: string,
  isArray: boolean,
  options: ChangesOptions,
): TableWrites[] {
  const tables = new Map<string, RowWrite[]>();
  const add = (members: readonly JsonMember[], line: number): void => {
    const { table, write } =
      options.table === undefined
        ? fromEnvelope(members, line)
        : { table: options.table, write: fromRow(members, line, options) };
    const writes = tables.get(table);
    if (writes === undefined) tables.set(table, [write]);
    else writes.push(write);
  };
  if (isArray) readArray(text, add);
  else readLines(text, add);
  const { key } = options;
  return [...tables].map(([table, writes]) => ({ table, writes, ...(key && { key }) }));
}

type Add = (members: readonly JsonMember[], line: number) => void;

function readArray(text: string, add: Add): void {
  const reader = new JsonMemberReader(text, { line: 1 });
  reader.expect('[');
  if (!reader.take(']')) {
    for (let record = 1; ; record++) {
      add(reader.readObject(), record);
      if (reader.take(']')) break;
      reader.expect(',');
    }
  }
  reader.end();
}

function readLines(text: string, add: Add): void {
  let line = 0;
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    line += 1;
    const record = text.slice(start, end);
    start = end + 1;
    if (record.trim() === '') continue;
    const reader = new JsonMemberReader(record, { line });
    const members = reader.readObject();
    reader.end();
    add(members, line);
  }
}

/** Case 1. */
function fromRow(members: readonly JsonMember[], line: number, options: ChangesOptions): RowWrite {
  const { opField } = options;
  if (opField === undefined) return { op: options.op, cells: cellsOf(members) };
  const named = members.find(({ name }) => name === opField);
  const op = named === undefined ? options.op : parseOp(named.text, { line });
  return { op, cells: cellsOf(members.filter((member) => member !== named)) };
}

/** Case 2. */
function fromEnvelope(
  members: readonly JsonMember[],
  line: number,
): { readonly table: string; readonly write: RowWrite } {
  const of = (name: string) => members.find((member) => member.name === name);
  const [table, op, row] = [of('table'), of('op'), of('row')];
  if (table?.kind !== 'string' || row?.kind !== 'object') {
    throw new DvError('bad-request', `record ${line} names no table and row`, {
      hint: '{"table": "orders", "op": "upsert", "row": {...}}, or ?table=orders and rows alone',
      data: { line },
    });
  }
  const cells = cellsOf(new JsonMemberReader(row.text, { line }).readObject());
  return {
    table: table.text,
    write: { op: op === undefined ? 'upsert' : parseOp(op.text, { line }), cells },
  };
}

function cellsOf(members: readonly JsonMember[]): Record<string, Cell> {
  const cells: Record<string, Cell> = {};
  for (const member of members) {
    const cell = cellOfMember(member);
    if (member.name !== '__proto__') cells[member.name] = cell;
    else Object.defineProperty(cells, '__proto__', { value: cell, enumerable: true });
  }
  return cells;
}

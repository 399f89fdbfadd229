/**
 * Reads a diff in NDJSON (`diff-ndjson.ts` describes it) as a patch. Values are typed there,
 * cells are text here: a number is its digits as they stand in the line, a string is what it
 * says, an object or an array is its JSON. Only in a column of JSON is a string its own JSON,
 * quotes included, and a null in one is always a missing cell.
 */
import type { Cell, ColumnType, Schema } from '../tuple/schema.ts';
import type { ParsePatchOptions, PatchCells, PatchChange, PatchTable } from './patch-contract.ts';
import { splitMembers } from './patch-json.ts';
import type { PatchLines } from './patch-lines.ts';
import { parseJson, parseSchema, quoteStart } from './patch-schema.ts';

/** Lines parsed before they are handed on. */
const BATCH = 1000;

/** Reads the tables of a diff; `lines` is at its first line. */
export async function* parseDiffLines(
  lines: PatchLines,
  options: ParsePatchOptions,
): AsyncGenerator<PatchTable> {
  while (await lines.fill()) {
    if (isAside(parseLine(lines))) {
      lines.skip();
      continue;
    }
    const rows = openRows(lines, options);
    yield rows.description;
    while (await rows.nextBatch()) {
      // rows that nobody asked for are checked all the same
    }
  }
}

/** A line of plain files, or of how a table is written, which are no part of a patch. */
function isAside({ table, change }: DiffLine): boolean {
  return table === undefined || change === 'dialect';
}

interface DiffLine {
  /** undefined: the line is about a plain file. */
  readonly table: string | undefined;
  readonly change: string;
  /** JSON text of each member. */
  readonly members: ReadonlyMap<string, string>;
}

function parseLine(lines: PatchLines): DiffLine {
  const members = new Map(splitMembers(lines.peek()));
  const text = (name: string) => {
    const value = parseJson(lines, members.get(name) ?? 'null');
    return typeof value === 'string' ? value : undefined;
  };
  const [table, change] = [text('table'), text('change')];
  if (change === undefined || (table === undefined && text('file') === undefined)) {
    throw lines.bad(`is not a line of a diff: ${quoteStart(lines.peek())}`);
  }
  return { table, change, members };
}

/** A table begins with a line about its schema, if there is one, or with its first row. */
function openRows(lines: PatchLines, options: ParsePatchOptions): DiffRows {
  const { line } = lines;
  const { table = '', change, members } = parseLine(lines);
  const side = (name: string): Schema | null | undefined => {
    const json = change === 'schema' ? members.get(name) : undefined;
    return json === undefined ? undefined : parseSchema(lines, json);
  };
  const description = { table, line, fromSchema: side('from'), toSchema: side('to') };
  if (change === 'schema') {
    if (members.get('complete') === 'false') {
      throw lines.bad(
        'leaves out rows that differ only in the columns it adds or removes',
        'dv diff --complete --json has them, and so has dv diff --format patch',
      );
    }
    lines.skip();
  }
  return new DiffRows(lines, description, options);
}

class DiffRows {
  readonly description: PatchTable;
  readonly #lines: PatchLines;
  readonly #types: readonly [from: TypeOf, to: TypeOf];
  /** Key columns of both sides, where the schemas are known. */
  readonly #keyNames: readonly string[];
  #ended = false;

  constructor(
    lines: PatchLines,
    description: Omit<PatchTable, 'changes'>,
    { typeOf }: ParsePatchOptions,
  ) {
    this.#lines = lines;
    this.description = { ...description, changes: () => this.#changes() };
    const known = (column: string) => typeOf?.(description.table, column);
    const { fromSchema, toSchema } = description;
    this.#types = [typesOf(fromSchema) ?? known, typesOf(toSchema) ?? known];
    this.#keyNames = [fromSchema, toSchema].flatMap(
      (schema) => schema?.key.map((index) => schema.columns[index].name) ?? [],
    );
  }

  async *#changes(): AsyncGenerator<readonly PatchChange[]> {
    for (let batch = await this.nextBatch(); batch; batch = await this.nextBatch()) yield batch;
  }

  async nextBatch(): Promise<PatchChange[] | undefined> {
    const lines = this.#lines;
    if (this.#ended || !(await lines.fill())) return undefined;
    const batch: PatchChange[] = [];
    while (batch.length < BATCH && lines.atHand) {
      const line = parseLine(lines);
      if (isAside(line)) {
        lines.skip();
        continue;
      }
      this.#ended = line.table !== this.description.table || line.change === 'schema';
      if (this.#ended) break;
      batch.push(this.#parseRow(line));
      lines.skip();
    }
    return batch;
  }

  #parseRow({ change, members }: DiffLine): PatchChange {
    const { line } = this.#lines;
    const from = this.#cells(members.get('from'), 0);
    const to = this.#cells(members.get('to'), 1);
    if (change === 'added' && !from && to) return { change, line, from: null, to };
    if (change === 'removed' && from && !to) return { change, line, from, to: null };
    if (change === 'modified' && from && to) {
      const told = this.#toldColumns(members.get('key'), from, to);
      return { change, line, from: pick(from, told), to: pick(to, told) };
    }
    throw this.#lines.bad(`has sides that do not go with its change, "${change}"`);
  }

  #cells(json: string | undefined, side: 0 | 1): PatchCells | null {
    if (json === undefined || json === 'null') return null;
    const members = splitMembers(json);
    if (!members) throw this.#lines.bad(`has a side that is not a row: ${quoteStart(json)}`);
    const typeOf = this.#types[side];
    return new Map(members.map(([name, value]) => [name, exactCell(value, typeOf(name))]));
  }

  /** Names of the cells of a modified row that a patch keeps: the key, and what differs. */
  #toldColumns(keyJson: string | undefined, from: PatchCells, to: PatchCells): Set<string> {
    const names = [...new Set([...to.keys(), ...from.keys()])];
    if (keyJson === undefined || keyJson === 'null') return new Set(names);
    const key = splitMembers(keyJson);
    if (!key) throw this.#lines.bad(`has a key that is not an object: ${quoteStart(keyJson)}`);
    const keyNames = new Set([...key.map(([name]) => name), ...this.#keyNames]);
    const lost = [...keyNames].find((name) => !from.has(name) && !to.has(name));
    if (lost !== undefined) {
      throw this.#lines.bad(`lacks the key column ${quoteStart(lost)}`);
    }
    const differs = (name: string) => (from.get(name) ?? null) !== (to.get(name) ?? null);
    return new Set(names.filter((name) => keyNames.has(name) || differs(name)));
  }
}

type TypeOf = (column: string) => ColumnType | undefined;

function typesOf(schema: Schema | null | undefined): TypeOf | undefined {
  if (!schema) return undefined;
  const types = new Map(schema.columns.map(({ name, type }) => [name, type]));
  return (column) => types.get(column);
}

function pick(cells: PatchCells, names: ReadonlySet<string>): PatchCells {
  return new Map([...cells].filter(([name]) => names.has(name)));
}

function exactCell(json: string, type: ColumnType | undefined): Cell {
  if (json === 'null') return null;
  return json.startsWith('"') && type !== 'json' ? JSON.parse(json) : json;
}

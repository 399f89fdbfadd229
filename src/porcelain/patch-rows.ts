/**
 * The rows of one table in the text of a patch, up to its `end`. Every row is checked, asked
 * for or not: that it is one, that its columns exist, that its key is there, and the count.
 */
import type { Cell, Schema } from '../tuple/schema.ts';
import type { PatchCells, PatchChange, PatchTable } from './patch-contract.ts';
import { type Counts, formatCounts } from './patch-format.ts';
import { splitMembers } from './patch-json.ts';
import type { PatchLines } from './patch-lines.ts';
import { quoteStart } from './patch-schema.ts';

/** Rows parsed before they are handed on. */
const BATCH = 1000;

type Description = Omit<PatchTable, 'changes'>;

/** The rows of one table, whoever asks for them. */
export class PatchRows {
  readonly description: PatchTable;
  readonly #lines: PatchLines;
  readonly #counts: Counts = { added: 0, removed: 0, modified: 0 };
  #ended = false;

  constructor(lines: PatchLines, description: Description) {
    this.#lines = lines;
    this.description = { ...description, changes: () => this.#changes() };
  }

  async *#changes(): AsyncGenerator<readonly PatchChange[]> {
    for (let batch = await this.nextBatch(); batch; batch = await this.nextBatch()) yield batch;
  }

  async nextBatch(): Promise<PatchChange[] | undefined> {
    const lines = this.#lines;
    if (this.#ended) return undefined;
    if (!(await lines.fill())) throw lines.cutShort();
    const batch: PatchChange[] = [];
    while (batch.length < BATCH && lines.atHand && !this.#ended) {
      const text = lines.peek();
      if (text.startsWith('end ')) this.#end(text);
      else batch.push(this.#parseRow(text));
      lines.skip();
    }
    return batch;
  }

  #end(text: string): void {
    const expected = formatCounts(this.#counts);
    if (text !== `end ${expected}`) {
      throw this.#lines.bad(`does not match the rows before it, which are ${expected}`);
    }
    this.#ended = true;
  }

  #parseRow(text: string): PatchChange {
    const { fromSchema, toSchema } = this.description;
    const change = changeOf(text);
    const members = change && splitMembers(text.slice(2));
    if (!members) throw this.#lines.bad(`is not a row: ${quoteStart(text)}`);
    this.#counts[change] += 1;
    const from = change === 'added' ? null : this.#cells(members, fromSchema, change, 0);
    const to = change === 'removed' ? null : this.#cells(members, toSchema, change, 1);
    for (const [name] of members) {
      if (from?.has(name) || to?.has(name)) continue;
      throw this.#lines.bad(`names a column that its table does not have: ${quoteStart(name)}`);
    }
    return { change, line: this.#lines.line, from, to } as PatchChange;
  }

  /** The cells of one side (0 from, 1 to), in the order of its schema where that is known. */
  #cells(
    members: readonly (readonly [string, string])[],
    schema: Schema | null | undefined,
    change: PatchChange['change'],
    side: 0 | 1,
  ): PatchCells {
    if (schema === null) throw this.#lines.bad('changes a row of a table that does not exist');
    const told = new Map(members);
    const cells = new Map<string, Cell>();
    const names = schema?.columns.map((column) => column.name) ?? told.keys();
    for (const name of names) {
      const json = told.get(name);
      if (json !== undefined) cells.set(name, this.#cell(json, change, side));
      else if (change !== 'modified') cells.set(name, null);
    }
    for (const index of schema?.key ?? []) {
      const { name } = schema!.columns[index];
      if (!told.has(name)) throw this.#lines.bad(`lacks the key column ${quoteStart(name)}`);
    }
    return cells;
  }

  #cell(json: string, change: PatchChange['change'], side: 0 | 1): Cell {
    let value: unknown = JSON.parse(json);
    if (change === 'modified' && Array.isArray(value) && value.length === 2) value = value[side];
    if (typeof value !== 'string' && value !== null) {
      throw this.#lines.bad(`has a cell that is neither text nor null: ${quoteStart(json)}`);
    }
    return value;
  }
}

function changeOf(text: string): PatchChange['change'] | undefined {
  switch (text.slice(0, 2)) {
    case '+ ':
      return 'added';
    case '- ':
      return 'removed';
    case '~ ':
      return 'modified';
    default:
      return undefined;
  }
}

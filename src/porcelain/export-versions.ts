/**
 * `dv export --with-version`: the table with three more columns that say which commit last set
 * each row, when, and who.
 */
import { DvError } from '../errors.ts';
import type { Dialect, FormatName } from '../formats/contract.ts';
import { loadFormat } from '../formats/registry.ts';
import type { RowBatch } from '../tuple/row-batch.ts';
import type { Row, Schema } from '../tuple/schema.ts';
import { actorOf } from './people.ts';
import type { Repository } from './repository.ts';
import { type BlamedRow, blameTable, openCommitted } from './row-questions.ts';

/** The columns that come behind the table's own. */
export const VERSION_COLUMNS = [
  { name: '_commit', type: 'text' },
  { name: '_time', type: 'timestamp' },
  { name: '_author', type: 'text' },
] as const;

const ROWS_A_BATCH = 4096;

/** @throws DvError `unknown-table`, `name-collision`, `no-commits` */
export async function* exportVersions(
  repo: Repository,
  text: string,
  format: FormatName = 'csv',
): AsyncGenerator<Uint8Array> {
  const committed = await openCommitted(repo, text);
  const { table, schema } = committed;
  const clash = schema.columns.find(({ name }) => VERSION_COLUMNS.some((c) => c.name === name));
  if (clash !== undefined) {
    throw new DvError('name-collision', `'${table}' has a column "${clash.name}" of its own`, {
      hint: 'dv blame --json says the same',
    });
  }
  const wide: Schema = { columns: [...schema.columns, ...VERSION_COLUMNS], key: schema.key };
  const dialect: Dialect = { format };
  const writer = (await loadFormat(format)).createWriter(wide, dialect);
  for await (const rows of blameTable(repo, committed)) {
    for (let at = 0; at < rows.length; at += ROWS_A_BATCH) {
      const batch = batchOf(rows.slice(at, at + ROWS_A_BATCH).map(withVersion), wide);
      const bytes = await writer.write(batch);
      if (bytes !== undefined && bytes.length > 0) yield bytes;
    }
  }
  const rest = await writer.end();
  if (rest !== undefined && rest.length > 0) yield rest;
}

function withVersion({ row, commit, object }: BlamedRow): Row {
  const time = new Date(object.author.time).toISOString();
  return [...row, commit, time, actorOf(object.author)];
}

function batchOf(rows: readonly Row[], { columns }: Schema): RowBatch {
  const width = columns.length;
  const parts: Buffer[] = [];
  const cells = new Int32Array(2 * rows.length * width).fill(-1);
  let at = 0;
  rows.flat().forEach((cell, i) => {
    if (cell === null) return;
    const bytes = Buffer.from(cell);
    parts.push(bytes);
    cells[2 * i] = at;
    at += bytes.length;
    cells[2 * i + 1] = at;
  });
  const lines = Float64Array.from(rows, (_, i) => i + 1);
  return { rows: rows.length, columns: width, bytes: Buffer.concat(parts), cells, lines };
}

/**
 * A patch: row changes that can be saved, read, sent, inverted and applied elsewhere. A
 * modified row carries its key and the cells that change, nothing else, so a patch applies
 * to a table that differs in other places. Cells are exact text. `patch-format.ts` describes
 * the format that is written; the NDJSON form of a diff is read as well.
 */
import type { RowChange, TableDiff } from '../model/change.ts';
import { type ColumnPair, cellAt, pairColumns } from '../model/diff-columns.ts';
import type { Row } from '../tuple/schema.ts';
import type { ParsePatchOptions, PatchCells, PatchChange, PatchTable } from './patch-contract.ts';
import { formatPatch } from './patch-format.ts';
import { PatchLines } from './patch-lines.ts';
import { parseDiffLines } from './patch-ndjson.ts';
import { parsePatchText } from './patch-text.ts';

/** The text of a patch from `from` to `to`, a batch at a time. */
export function writePatch(
  diffs: AsyncIterable<TableDiff> | Iterable<TableDiff>,
): AsyncIterable<string> {
  return formatPatch(toPatch(diffs));
}

/** The patch that a diff amounts to. */
export async function* toPatch(
  diffs: AsyncIterable<TableDiff> | Iterable<TableDiff>,
): AsyncGenerator<PatchTable> {
  for await (const diff of diffs) {
    const pairs = pairColumns(diff.from, diff.to);
    const columns: PatchColumns = {
      from: pairs.filter(({ from }) => from >= 0).sort((a, b) => a.from - b.from),
      to: pairs.filter(({ to }) => to >= 0).sort((a, b) => a.to - b.to),
      keyless: !pairs.some(({ key }) => key),
    };
    yield {
      table: diff.table,
      line: 0,
      fromSchema: diff.from,
      toSchema: diff.to,
      changes: () => mapBatches(diff.changes(), (change) => toPatchChange(columns, change)),
    };
  }
}

/** The columns of each side in its own order. */
interface PatchColumns {
  readonly from: readonly ColumnPair[];
  readonly to: readonly ColumnPair[];
  readonly keyless: boolean;
}

function toPatchChange({ from, to, keyless }: PatchColumns, change: RowChange): PatchChange {
  const all = change.change !== 'modified' || keyless;
  const told = (pair: ColumnPair) =>
    all || pair.key || cellAt(change.from, pair.from) !== cellAt(change.to, pair.to);
  const cells = (row: Row, pairs: readonly ColumnPair[], side: 'from' | 'to'): PatchCells =>
    new Map(pairs.filter(told).map((pair) => [pair.name, row[pair[side]]]));
  return {
    change: change.change,
    line: 0,
    from: change.from && cells(change.from, from, 'from'),
    to: change.to && cells(change.to, to, 'to'),
  } as PatchChange;
}

/**
 * Reads a patch, or a diff in NDJSON, as it streams in. Rows of a table that were not asked
 * for are checked and skipped.
 * @throws DvError `bad-patch` with `line`; `newer-format` for a later version.
 */
export async function* parsePatch(
  source: AsyncIterable<Uint8Array | string>,
  options: ParsePatchOptions = {},
): AsyncGenerator<PatchTable> {
  const lines = new PatchLines(source, options.file);
  try {
    if (!(await lines.fill())) return;
    yield* lines.peek().startsWith('{') ? parseDiffLines(lines, options) : parsePatchText(lines);
  } finally {
    await lines.close();
  }
}

/** The patch that undoes `patch`. Twice inverted is the same again. */
export async function* invertPatch(
  patch: AsyncIterable<PatchTable> | Iterable<PatchTable>,
): AsyncGenerator<PatchTable> {
  for await (const table of patch) {
    yield {
      table: table.table,
      line: table.line,
      fromSchema: table.toSchema,
      toSchema: table.fromSchema,
      changes: () => mapBatches(table.changes(), invertChange),
    };
  }
}

const INVERSE = { added: 'removed', removed: 'added', modified: 'modified' } as const;

function invertChange({ change, line, from, to }: PatchChange): PatchChange {
  return { change: INVERSE[change], line, from: to, to: from } as PatchChange;
}

async function* mapBatches<A, B>(
  batches: AsyncIterable<readonly A[]>,
  map: (item: A) => B,
): AsyncGenerator<B[]> {
  for await (const batch of batches) yield batch.map(map);
}

export type { ParsePatchOptions, PatchCells, PatchChange, PatchTable } from './patch-contract.ts';
export { formatPatch } from './patch-format.ts';

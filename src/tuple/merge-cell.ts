/**
 * One cell that both sides of a merge changed, and not alike, decided by its column's rule.
 * Every rule but `ours`, `theirs` and `latest` gives the same cell when the sides are swapped.
 *
 *   max, min  the type's order, exactly; equal values: the order of their texts. null loses.
 *   sum       ours + theirs - base (exact-sum.ts); null counts as 0
 *   union     arrays as sets; json: objects key by key (merge-json.ts)
 *   text      by lines, then by words (merge-text.ts)
 *
 * A cell that is not of its column's type has no order and no sum: a conflict.
 */
import { ByteWriter, compareBytes } from '../bytes.ts';
import { addDifferences } from './exact-sum.ts';
import { appendComponent } from './key-component.ts';
import { mergeJson, uniteArrays } from './merge-json.ts';
import { mergeText } from './merge-text.ts';
import type { Cell, ColumnRule, ColumnType } from './schema.ts';

export interface CellSides {
  /** null also where the row is new. */
  readonly base: Cell;
  readonly ours: Cell;
  readonly theirs: Cell;
}

/** `latest`: the caller has to find out which side changed the cell last. */
export type CellMerge = { readonly cell: Cell } | 'conflict' | 'latest';

/** The sides differ from each other and from base. Never throws. */
export function mergeCell(rule: ColumnRule, type: ColumnType, cells: CellSides): CellMerge {
  switch (rule) {
    case 'conflict':
    case 'latest':
      return rule;
    case 'ours':
    case 'theirs':
      return { cell: cells[rule] };
    case 'max':
      return pickByOrder(type, cells, 1);
    case 'min':
      return pickByOrder(type, cells, -1);
    case 'sum':
      return decided(addDifferences(type, cells));
    case 'union':
      return decided(type === 'json' ? uniteArrays(cells) : undefined);
    case 'json':
      return decided(type === 'json' ? mergeJson(cells) : undefined);
    case 'text':
      return decided(type === 'text' ? mergeText(cells) : undefined);
  }
}

const decided = (cell: string | undefined): CellMerge =>
  cell === undefined ? 'conflict' : { cell };

/** `wanted`: 1 for the greater cell, -1 for the smaller. */
function pickByOrder(type: ColumnType, { ours, theirs }: CellSides, wanted: 1 | -1): CellMerge {
  const [a, b] = [orderOf(type, ours), orderOf(type, theirs)];
  if (a === undefined || b === undefined) return 'conflict';
  if (a === null || b === null) return { cell: a === null ? theirs : ours };
  return { cell: compareBytes(a, b) * wanted > 0 ? ours : theirs };
}

/**
 * Bytes that compare like the cells of a type: a key component, whose text at the end tells
 * equal values apart. undefined: the cell is not of the type.
 */
function orderOf(type: ColumnType, cell: Cell): Uint8Array | null | undefined {
  if (cell === null) return null;
  const bytes = Buffer.from(cell);
  const out = new ByteWriter(bytes.length + 32);
  return appendComponent(out, type, bytes, 0, bytes.length, true) ? out.take() : undefined;
}

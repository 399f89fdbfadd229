/**
 * A row in conflict for people: its key, what happened, and a line for every column in which
 * the sides differ; those that clash have a mark in front, so that colour is not needed.
 *
 *     cities.csv  id 42: both changed it
 *                    base        ours        theirs
 *       * population  10          12          13
 *         mayor       Ada         Ada         Grace
 */
import type { RowConflictKind } from '../../model/merge-types.ts';
import type { RowInConflict, WholeInConflict } from '../../porcelain/conflicts.ts';
import type { Cell, Row } from '../../tuple/schema.ts';
import type { Context } from '../context.ts';
import { cutText } from './diff/shorten.ts';
import { visibleCell } from './diff/visible-text.ts';
import { renderConflictLine } from './merge-conflicts.ts';
import { displayWidth, pad } from './width.ts';

type Shown = Pick<Context, 'paint' | 'shownLine' | 'width' | 'isTTY'>;

const SIDES = ['base', 'ours', 'theirs'] as const;
const GAP = '  ';
const MARK_WIDTH = 4;
const LEAST_CELL = 8;
const MOST_NAME = 24;

export const CONFLICT_WORDS: Readonly<Record<RowConflictKind, string>> = {
  'both-modified': 'both changed it',
  'both-added': 'both added a row under this key',
  'removed-by-ours': 'ours removed it, theirs changed it',
  'removed-by-theirs': 'theirs removed it, ours changed it',
};

export function renderConflict(item: RowInConflict | WholeInConflict, shown: Shown): string {
  if (item.kind === 'whole') return `${renderConflictLine(item.conflict, shown)}\n`;
  const { paint, shownLine } = shown;
  const key = keyText(item, shownLine);
  const head = `${paint.heading(shownLine(item.table))}  ${key}: ${CONFLICT_WORDS[item.conflict]}\n`;
  return head + renderCells(item, shown);
}

/** `id 42`, `country CH, city Bern` */
export function keyText(
  { schema, key }: RowInConflict,
  shownLine: (text: string) => string,
): string {
  return schema.key
    .map((place, i) => `${shownLine(schema.columns[place].name)} ${shownLine(key[i])}`)
    .join(', ');
}

/** Columns in which a side differs from another, in the order of the table. */
export function differingColumns({ schema, sides }: RowInConflict): number[] {
  const rows = SIDES.map((side) => sides[side]).filter((row) => row !== null);
  return schema.columns.map((_, i) => i).filter((i) => rows.some((row) => row[i] !== rows[0][i]));
}

function renderCells(item: RowInConflict, shown: Shown): string {
  const { paint, shownLine, width, isTTY } = shown;
  const { schema, sides, columns: clashing } = item;
  const places = differingColumns(item);
  const names = places.map((i) => cutText(shownLine(schema.columns[i].name), MOST_NAME));
  const nameWidth = Math.max(0, ...names.map(displayWidth));
  const left = width - MARK_WIDTH - nameWidth - SIDES.length * GAP.length;
  const onTerminal = Math.max(LEAST_CELL, Math.floor(left / SIDES.length));
  const cellWidth = isTTY ? onTerminal : Number.POSITIVE_INFINITY;
  const cell = (row: Row | null, i: number) => cutText(cellText(row?.[i]), cellWidth);
  const texts = places.map((i) => SIDES.map((side) => cell(sides[side], i)));
  const widths = SIDES.map((side, s) => {
    return Math.max(side.length, ...texts.map((line) => displayWidth(line[s])));
  });
  const line = (mark: string, name: string, cells: readonly string[]) => {
    const text = cells.map((one, s) => pad(one, widths[s])).join(GAP);
    return `  ${mark} ${pad(name, nameWidth)}${GAP}${text}`.trimEnd();
  };
  const heads = SIDES.map((side) => (sides[side] === null ? `${side} -` : side));
  const lines = [paint.dim(line(' ', '', heads))];
  for (const [n, i] of places.entries()) {
    const isClash = clashing.includes(schema.columns[i].name);
    const text = line(isClash ? '*' : ' ', names[n], texts[n]);
    lines.push(isClash ? paint.changed(text) : text);
  }
  return lines.map((text) => `${text}\n`).join('');
}

/** On one line, as a difference shows it, into a pipe too. `undefined`: there is no row. */
export function cellText(cell: Cell | undefined): string {
  return cell === undefined ? '' : visibleCell(cell);
}

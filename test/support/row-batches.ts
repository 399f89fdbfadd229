/**
 * Row batches from rows of text, laid out as readers lay them out: cell after cell with one
 * byte between (as in a CSV line), without any, or scattered.
 */
import fc from 'fast-check';
import type { RowBatch } from '../../src/tuple/row-batch.ts';
import type { Cell, Row } from '../../src/tuple/schema.ts';

export type Layout = 'separated' | 'joined' | 'scattered';

export const layouts = fc.constantFrom<Layout>('separated', 'joined', 'scattered');

/** `firstLine` is the line of the first row; one line a row. */
export function batchOf(
  rows: readonly Row[],
  layout: Layout = 'separated',
  firstLine = 1,
): RowBatch {
  const columns = rows[0]?.length ?? 0;
  const cells = new Int32Array(rows.length * columns * 2).fill(-1);
  const order = rows.flatMap((row, r) =>
    row.map((cell, c) => ({ cell, at: 2 * (r * columns + c) })),
  );
  if (layout === 'scattered') order.reverse();
  const parts: Buffer[] = [];
  let offset = 0;
  for (const { cell, at } of order) {
    const bytes = Buffer.from(cell ?? '');
    if (cell !== null) {
      cells[at] = offset;
      cells[at + 1] = offset + bytes.length;
    }
    const gap = Buffer.from(layout === 'joined' ? '' : ',');
    parts.push(bytes, gap);
    offset += bytes.length + gap.length;
  }
  const lines = Float64Array.from(rows, (_, i) => firstLine + i);
  return { rows: rows.length, columns, bytes: Buffer.concat(parts), cells, lines };
}

/** Text of any characters, zero bytes and characters beyond 16 bits included. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('\0', '\u0001', '\u0002', 'a', 'ÿ', '😀'), maxLength: 6 }),
  fc.constantFrom('', 'null', '007', '-'),
);

export const nullableTexts: fc.Arbitrary<Cell> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 4, arbitrary: texts },
);

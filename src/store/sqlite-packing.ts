/**
 * The order in which a batch of chunks goes into the database so that its pages fill.
 *
 * SQLite keeps rows in id order. A row too large for a page leaves a rest in the tree page
 * and puts full pages beside it; a tree page takes rests until the next does not fit. With
 * chunks as they come, pages of 1 KiB end up a third empty. But the order within a batch is
 * ours, so rests that fit together are put together: first fit, largest first. It costs 0.2
 * microseconds a chunk. Size of the file over the sum of the chunks, by their mean size
 * (spread evenly by half of it both ways):
 *
 *   |              |   900 | 1,200 | 1,600 | 2,000 | 2,700 | 5,000 | 8,200 |
 *   |--------------|-------|-------|-------|-------|-------|-------|-------|
 *   | 1 KiB packed |  1.18 |  1.10 |  1.09 |  1.07 |  1.06 |  1.03 |  1.02 |
 *   | 1 KiB        |  1.30 |  1.19 |  1.18 |  1.14 |  1.11 |  1.06 |  1.04 |
 *   | 2 KiB packed |  1.14 |  1.44 |  1.28 |  1.09 |  1.05 |  1.04 |  1.02 |
 *   | 8 KiB packed |  1.13 |  1.11 |  1.10 |  1.10 |  1.10 |  1.35 |  1.05 |
 *
 * Leaves of 16 KiB of real tables (CLDR dates, browser support, licences) take 1,300 to 6,000.
 *
 * Source: https://www.sqlite.org/fileformat2.html ("Cell Payload Overflow Pages"); U, X, M
 * and K are the names used there.
 */
import { PAGE_BYTES } from './sqlite-schema.ts';

const U = PAGE_BYTES;
const X = U - 35;
const M = Math.floor(((U - 12) * 32) / 255) - 23;
/** The columns beside `data` with the record's header. */
const COLUMN_BYTES = 52;
/** Row id, payload size and the pointer to the row in its page. */
const ROW_BYTES = 7;
const OVERFLOW_POINTER_BYTES = 4;
const PAGE_HEADER_BYTES = 8;
/** How many pages that are not yet full are tried: enough for 1 in 50 bytes lost. */
const OPEN_PAGES = 256;

/** Bytes that a row with `size` bytes of data takes in the tree page itself. */
function restInPage(size: number): number {
  const payload = size + COLUMN_BYTES;
  if (payload <= X) return payload + ROW_BYTES;
  const k = M + ((payload - M) % (U - 4));
  return (k <= X ? k : M) + OVERFLOW_POINTER_BYTES + ROW_BYTES;
}

/** Indices of `sizes` in the order to insert them. */
export function packPages(sizes: readonly number[]): number[] {
  const rests = sizes.map(restInPage);
  const largestFirst = rests.map((_, index) => index).sort((a, b) => rests[b] - rests[a]);
  const pages: number[][] = [];
  const room: number[] = [];
  for (const index of largestFirst) {
    let page = Math.max(0, pages.length - OPEN_PAGES);
    while (page < pages.length && room[page] < rests[index]) page += 1;
    if (page === pages.length) {
      pages.push([]);
      room.push(U - PAGE_HEADER_BYTES);
    }
    pages[page].push(index);
    room[page] -= rests[index];
  }
  return pages.flat();
}

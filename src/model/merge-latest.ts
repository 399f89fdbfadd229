/**
 * Which side set a cell later: what the rule `latest` asks. The later commit by the hybrid
 * logical clock; between equal times and counters the larger node id.
 */
import type { EntryMerge } from '../prolly/merge.ts';
import type { CellOrigin, CellPlace } from './cell-origin.ts';
import { compareClocks } from './clock.ts';

interface AskedCell {
  readonly ours: CellPlace;
  readonly theirs: CellPlace;
}

/** The cells of a batch that `latest` decides, and what was found out about them. */
export class LatestClocks {
  readonly cells: AskedCell[] = [];
  /** By entry and column: the place in `cells`. */
  readonly #asked = new Map<EntryMerge, Map<number, number>>();
  #later: readonly ('ours' | 'theirs' | undefined)[] = [];

  ask(entry: EntryMerge, column: number, cell: AskedCell): void {
    const columns = this.#asked.get(entry) ?? new Map<number, number>();
    this.#asked.set(entry, columns.set(column, this.cells.length));
    this.cells.push(cell);
  }

  learn(
    ours: readonly (CellOrigin | undefined)[],
    theirs: readonly (CellOrigin | undefined)[],
  ): void {
    this.#later = this.cells.map((_, i) => {
      const [a, b] = [ours[i], theirs[i]];
      if (a === undefined || b === undefined) return undefined;
      const order = compareClocks(a.clock, b.clock);
      return order === 0 ? undefined : order > 0 ? 'ours' : 'theirs';
    });
  }

  /** Undefined: nobody can tell. */
  later(entry: EntryMerge, column: number): 'ours' | 'theirs' | undefined {
    const place = this.#asked.get(entry)?.get(column);
    return place === undefined ? undefined : this.#later[place];
  }
}

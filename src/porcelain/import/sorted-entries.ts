/**
 * What a sorter gives, with entries of the same key made one: the edits of a tree.
 */
import { combineKeyless } from '../../tuple/keyless.ts';
import type { SortedEntry, Sorter } from './sorter.ts';

/** One entry a key: the first. That rows went missing shows in the tree's row count. */
export function* dropRepeated(sorter: Sorter): Generator<SortedEntry[]> {
  let last: Buffer | undefined;
  for (const batch of sorter.sorted()) {
    yield batch.filter(({ key }) => {
      const repeated = last?.equals(key);
      last = key;
      return !repeated;
    });
  }
}

/** Equal rows of a keyless table as one entry with their count. */
export function* combineEqual(sorter: Sorter): Generator<SortedEntry[]> {
  let open: SortedEntry | undefined;
  for (const batch of sorter.sorted()) {
    const done: SortedEntry[] = [];
    for (const entry of batch) {
      if (open?.key.equals(entry.key)) {
        open = { key: open.key, value: combineKeyless(open.value, entry.value) };
      } else {
        if (open !== undefined) done.push(open);
        open = entry;
      }
    }
    yield done;
  }
  if (open !== undefined) yield [open];
}

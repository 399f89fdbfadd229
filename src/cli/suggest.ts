/** The names nearest to a mistyped one: for hints in errors. */

/** Edits (insert, delete, replace, swap of neighbours) from `a` to `b`; O(|a| * |b|). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

/** The one of `names` that `word` begins, else the best within two edits (one if short). */
export function nearest(word: string, names: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const begun = names.filter((name) => name.startsWith(word));
  if (begun.length === 1 && word.length > 1) return begun[0];
  const reach = word.length < 4 ? 1 : 2;
  let best: string | undefined;
  let bestDistance = reach + 1;
  for (const name of names) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * Which refs a watcher wants: globs over branch names (`main`, `release/*`) or full ref names
 * (`refs/tags/v*`). `*` and `?` stand for anything, `/` included, as in git. Patterns come
 * from outside, so matching takes time in proportion to name times pattern, never more.
 */
import { BRANCH_PREFIX, TAG_PREFIX } from '../model/names.ts';

/** Without patterns: every branch and tag. */
export function wantsRef(ref: string, patterns: readonly string[] = []): boolean {
  if (patterns.length === 0) return ref.startsWith(BRANCH_PREFIX) || ref.startsWith(TAG_PREFIX);
  const branch = ref.startsWith(BRANCH_PREFIX) ? ref.slice(BRANCH_PREFIX.length) : undefined;
  return patterns.some((pattern) => {
    const name = pattern.startsWith('refs/') ? ref : branch;
    return name !== undefined && matchesGlob(name, pattern);
  });
}

/** Goes on greedily, and back to behind the last `*` where that failed. */
export function matchesGlob(name: string, pattern: string): boolean {
  let [n, p] = [0, 0];
  let star = -1;
  let retry = 0;
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      n++;
      p++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++retry;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Patterns of branch and tag names: `*` and `?` stand for anything, `/` included, as in git. */

/** Whether the name matches one of the patterns, or there are none. */
export function matchesGlob(name: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => compile(pattern).test(name));
}

function compile(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\/]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'su');
}

/**
 * What rules decided, in the extra fields of the merge commit:
 *
 *   resolved  {"n": how many, "d": digest (32 bytes), "l": [decision, ...]}
 *   decision  [table, [key cells], column or null, rule, base, ours, theirs, result]
 */
import { HASH_BYTES, hashFromBytes, hashToBytes, parseHash } from '../hash.ts';
import type { Cell, ColumnRule, RowRule } from '../tuple/schema.ts';
import type { Decision, Resolved } from './merge-types.ts';
import type { Commit } from './objects.ts';

type Stored = readonly [string, Cell[], string | null, string, Cell, Cell, Cell, Cell];

/** Nothing where no rule decided anything. */
export function resolvedExtra({ count, digest, decisions }: Resolved): Record<string, unknown> {
  if (count === 0) return {};
  const list = decisions.map(({ table, key, column, rule, sides, result }): Stored => {
    return [table, [...key], column, rule, sides.base, sides.ours, sides.theirs, result];
  });
  return { resolved: { n: count, d: hashToBytes(parseHash(digest)), l: list } };
}

/** What rules decided in a commit; undefined: nothing, or not in a form this dv knows. */
export function readResolved({ extra }: Commit): Resolved | undefined {
  const { n, d, l } = (extra.resolved ?? {}) as Record<string, unknown>;
  const isWhole = typeof n === 'number' && d instanceof Uint8Array && d.length === HASH_BYTES;
  if (!isWhole || !Array.isArray(l) || !l.every(isStored)) return undefined;
  const decisions = l.map(
    ([table, key, column, rule, base, ours, theirs, result]): Decision => ({
      table,
      key,
      column,
      rule: rule as ColumnRule | RowRule,
      sides: { base, ours, theirs },
      result,
    }),
  );
  return { count: n, digest: hashFromBytes(d), decisions };
}

function isStored(value: unknown): value is Stored {
  if (!Array.isArray(value) || value.length !== 8) return false;
  const [table, key, column, rule, ...cells] = value;
  const isCell = (cell: unknown) => cell === null || typeof cell === 'string';
  const isText = typeof table === 'string' && typeof rule === 'string' && isCell(column);
  return isText && Array.isArray(key) && key.every(isCell) && cells.every(isCell);
}

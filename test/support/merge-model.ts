/**
 * The merge of a table, cell by cell, slow and obvious: rows in maps by their key, no rules.
 * Where it cannot decide it keeps what ours has.
 */
import type { Cell, Row } from '../../src/tuple/schema.ts';

export type ModelTable = ReadonlyMap<string, Row>;

export interface MergedModel {
  readonly rows: Map<string, Row>;
  /** `KEY KIND COLUMNS` */
  readonly conflicts: string[];
}

const equal = (a: Row | undefined, b: Row | undefined) => JSON.stringify(a) === JSON.stringify(b);

/** `names[i]` names column i; '' is the key. */
export function mergeModel(
  base: ModelTable,
  ours: ModelTable,
  theirs: ModelTable,
  names: readonly string[],
): MergedModel {
  const rows = new Map<string, Row>();
  const conflicts: string[] = [];
  for (const key of new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])) {
    const [b, o, t] = [base.get(key), ours.get(key), theirs.get(key)];
    const keep = (row: Row | undefined) => row !== undefined && rows.set(key, row);
    if (equal(o, t) || equal(t, b)) keep(o);
    else if (equal(o, b)) keep(t);
    else if (o === undefined) conflicts.push(`${key} removed-by-ours`);
    else if (t === undefined) {
      conflicts.push(`${key} removed-by-theirs`);
      keep(o);
    } else {
      const { row, clashes } = mergeCells(b, o, t, names);
      keep(row);
      const kind = b === undefined ? 'both-added' : 'both-modified';
      if (clashes.length > 0) conflicts.push(`${key} ${kind} ${clashes.sort().join(' ')}`);
    }
  }
  return { rows, conflicts };
}

function mergeCells(base: Row | undefined, ours: Row, theirs: Row, names: readonly string[]) {
  const clashes: string[] = [];
  const row = ours.map((o, i): Cell => {
    const [b, t] = [base?.[i] ?? null, theirs[i]];
    if (o === t) return o;
    if (base !== undefined && o === b) return t;
    if (base !== undefined && t === b) return o;
    clashes.push(names[i]);
    return o;
  });
  return { row, clashes };
}

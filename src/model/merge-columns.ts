/**
 * Three schemas into one. A column is told by its name in base, through renames, or, added
 * since, by its own name.
 *
 *   1. Removed by one side: gone, if the other left it as it was (its cells are the caller's
 *      to check: `dropped`). Renamed by one side: renamed. By both, differently: no.
 *   2. Types: the side's that changed it; of two changes the type that holds both. A type
 *      that only got narrower yields to the wider one of the other side.
 *   3. Order: the side's that changed it; columns added behind the same column by both sides
 *      come in the order of their first names, so that swapping the sides changes nothing.
 *   4. Another key on one side is not merged with anything but itself.
 *   5. Rules are merged a column at a time (tuple/merge-rules.ts).
 */
import { joinTypes } from '../tuple/cell-type.ts';
import { mergeRules3 } from '../tuple/merge-rules.ts';
import type { Column, ColumnType, MergeRules, Schema } from '../tuple/schema.ts';
import type { Sides } from './merge-types.ts';

/** Names of base to names of a side. */
export type Renames = ReadonlyMap<string, string>;

/** A column that one side removed and the other still has. */
export interface DroppedColumn {
  /** The side that still has it. */
  readonly kept: 'ours' | 'theirs';
  readonly name: string;
}

export interface MergedColumns {
  readonly schema: Schema;
  /** For each merged column, where each side has it; -1: nowhere. */
  readonly places: Sides<readonly number[]>;
  readonly dropped: readonly DroppedColumn[];
  /** Why there is no merged schema: ends of sentences about the table. Empty: there is. */
  readonly reasons: readonly string[];
}

/** A merged column under way: its place in each schema, undefined where it is not. */
interface Merging {
  readonly base: number | undefined;
  readonly ours: number | undefined;
  readonly theirs: number | undefined;
}

export function mergeColumns(
  { base, ours, theirs }: Sides<Schema>,
  renames: { readonly ours: Renames; readonly theirs: Renames },
): MergedColumns {
  const reasons: string[] = [];
  const dropped: DroppedColumn[] = [];
  const placeIn = (schema: Schema, name: string): number | undefined => {
    const place = schema.columns.findIndex((column) => column.name === name);
    return place < 0 ? undefined : place;
  };
  const kept: Merging[] = [];
  base.columns.forEach(({ name }, index) => {
    const [o, t] = [
      placeIn(ours, renames.ours.get(name) ?? name),
      placeIn(theirs, renames.theirs.get(name) ?? name),
    ];
    if (o !== undefined && t !== undefined) kept.push({ base: index, ours: o, theirs: t });
    else if (o !== undefined) drop('ours', ours, name, o);
    else if (t !== undefined) drop('theirs', theirs, name, t);
  });
  function drop(side: 'ours' | 'theirs', schema: Schema, name: string, place: number): void {
    const now = schema.columns[place].name;
    if (now !== name) reasons.push(`"${name}" is removed by one side and renamed by the other`);
    dropped.push({ kept: side, name: now });
  }
  const mergings = placeAdded({ base, ours, theirs }, kept, dropped, reasons);
  const columns = mergings.map((merging) => mergeColumn({ base, ours, theirs }, merging, reasons));
  if (reasons.length === 0) checkNames(columns, reasons);
  const key = mergeKey({ base, ours, theirs }, mergings, reasons);
  const rules = mergeTableRules({ base, ours, theirs }, mergings, columns, reasons);
  const place = (side: keyof Merging) => mergings.map((merging) => merging[side] ?? -1);
  return {
    schema: { columns, key, ...(rules === undefined ? {} : { rules }) },
    places: { base: place('base'), ours: place('ours'), theirs: place('theirs') },
    dropped,
    reasons,
  };
}

/** Case 3: kept columns in the order of the side that moved them, added ones in between. */
function placeAdded(
  { ours, theirs }: Sides<Schema>,
  kept: readonly Merging[],
  dropped: readonly DroppedColumn[],
  reasons: string[],
): Merging[] {
  const byBase = [...kept];
  const inOurs = [...kept].sort((a, b) => a.ours! - b.ours!);
  const inTheirs = [...kept].sort((a, b) => a.theirs! - b.theirs!);
  const same = (a: readonly Merging[], b: readonly Merging[]) => a.every((m, i) => m === b[i]);
  if (!same(inOurs, byBase) && !same(inTheirs, byBase) && !same(inOurs, inTheirs)) {
    reasons.push('both sides put its columns in another order');
  }
  const order = same(inOurs, byBase) ? inTheirs : inOurs;
  const gone = (side: 'ours' | 'theirs', name: string) =>
    dropped.some((d) => d.kept === side && d.name === name);
  const runs = (side: 'ours' | 'theirs', schema: Schema): Map<Merging | undefined, string[]> => {
    const at = new Map(kept.map((merging) => [merging[side], merging]));
    const found = new Map<Merging | undefined, string[]>();
    let anchor: Merging | undefined;
    schema.columns.forEach(({ name }, i) => {
      const merging = at.get(i);
      if (merging !== undefined) anchor = merging;
      else if (!gone(side, name)) found.set(anchor, [...(found.get(anchor) ?? []), name]);
    });
    return found;
  };
  const [ourRuns, theirRuns] = [runs('ours', ours), runs('theirs', theirs)];
  const added = new Set<string>();
  const behind = (anchor: Merging | undefined): Merging[] => {
    const pair = [ourRuns.get(anchor) ?? [], theirRuns.get(anchor) ?? []];
    const names = joinRuns(pair[0], pair[1]).filter((name) => !added.has(name));
    for (const name of names) added.add(name);
    return names.map((name) => addedColumn(name, ours, theirs));
  };
  return [...behind(undefined), ...order.flatMap((merging) => [merging, ...behind(merging)])];
}

/** Each run keeps its order where it can; the run with the smaller first name comes first. */
function joinRuns(a: readonly string[], b: readonly string[]): string[] {
  if (a.length === 0 || b.length === 0) return [...a, ...b];
  const [first, second] = a.join('\0') <= b.join('\0') ? [a, b] : [b, a];
  return [...first, ...second.filter((name) => !first.includes(name))];
}

function addedColumn(name: string, ours: Schema, theirs: Schema): Merging {
  const find = (schema: Schema) => schema.columns.findIndex((column) => column.name === name);
  const [o, t] = [find(ours), find(theirs)];
  return { base: undefined, ours: o < 0 ? undefined : o, theirs: t < 0 ? undefined : t };
}

function mergeColumn(sides: Sides<Schema>, at: Merging, reasons: string[]): Column {
  const base = at.base === undefined ? undefined : sides.base.columns[at.base];
  const ours = at.ours === undefined ? undefined : sides.ours.columns[at.ours];
  const theirs = at.theirs === undefined ? undefined : sides.theirs.columns[at.theirs];
  if (ours === undefined || theirs === undefined) return (ours ?? theirs)!;
  let { name } = ours;
  if (base !== undefined && ours.name === base.name) name = theirs.name;
  else if (theirs.name !== ours.name && theirs.name !== base?.name) {
    const names = [ours.name, theirs.name].sort().map((n) => `"${n}"`);
    reasons.push(`"${base?.name}" is renamed to ${names[0]} and to ${names[1]}`);
  }
  return { name, type: mergeType(base?.type, ours.type, theirs.type) };
}

/** Case 2. Joining with an unchanged wider type gives the wider one. */
function mergeType(base: ColumnType | undefined, ours: ColumnType, theirs: ColumnType): ColumnType {
  const narrows = (type: ColumnType) => base !== undefined && joinTypes(base, type) === base;
  if (ours === base && !narrows(theirs)) return theirs;
  if (theirs === base && !narrows(ours)) return ours;
  return joinTypes(ours, theirs);
}

function checkNames(columns: readonly Column[], reasons: string[]): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name)) reasons.push(`two different columns are named "${name}"`);
    seen.add(name);
  }
}

/** Case 4. */
function mergeKey(
  { base, ours, theirs }: Sides<Schema>,
  mergings: readonly Merging[],
  reasons: string[],
): number[] {
  const find = (side: 'base' | 'ours' | 'theirs', schema: Schema): number[] =>
    schema.key.map((place) => mergings.findIndex((merging) => merging[side] === place));
  const [o, t] = [find('ours', ours), find('theirs', theirs)];
  if (o.join() !== t.join() || o.includes(-1)) reasons.push('the sides have different keys');
  else if (base.columns.length > 0 && find('base', base).join() !== o.join()) {
    reasons.push('both sides changed its key');
  }
  return o;
}

/** Case 5. */
function mergeTableRules(
  sides: Sides<Schema>,
  mergings: readonly Merging[],
  columns: readonly Column[],
  reasons: string[],
): MergeRules | undefined {
  const under = (side: 'base' | 'ours' | 'theirs'): MergeRules | undefined => {
    const { rules, columns: own } = sides[side];
    if (rules === undefined) return undefined;
    const named = mergings.flatMap((merging, i) => {
      const place = merging[side];
      const rule = place === undefined ? undefined : rules.columns[own[place].name];
      return rule === undefined ? [] : [[columns[i].name, rule] as const];
    });
    return { ...rules, columns: Object.fromEntries(named) };
  };
  const { rules, clashes } = mergeRules3(under('base'), under('ours'), under('theirs'));
  for (const clash of clashes) reasons.push(`both sides changed the rule of ${clash}`);
  return rules;
}

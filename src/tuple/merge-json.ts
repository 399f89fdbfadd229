/**
 * The rules for JSON cells. What neither rule has to rewrite keeps its text; what is put
 * together is written without white space.
 *
 *   union  Arrays as sets: base's elements in base's order without those that a side removed,
 *          then those that a side added, sorted by their canonical text. null is no element.
 *   json   Objects name by name: a value that one side changed is taken from there, one that
 *          both changed to objects is merged in turn, any other clash leaves the cell
 *          undecided. Names in base's order, then added ones sorted.
 */
import { type JsonMember, type JsonObject, type JsonTree, parseJsonTree } from './json-tree.ts';
import type { Cell } from './schema.ts';

interface Cells {
  readonly base: Cell;
  readonly ours: Cell;
  readonly theirs: Cell;
}

/** undefined: a cell that is no array. */
export function uniteArrays({ base, ours, theirs }: Cells): string | undefined {
  const [b, o, t] = [elementsOf(base), elementsOf(ours), elementsOf(theirs)];
  if (b === undefined || o === undefined || t === undefined) return undefined;
  const kept = [...b].filter(([element]) => o.has(element) && t.has(element));
  const added = new Map<string, string>();
  for (const [element, raw] of [...o, ...t]) {
    const other = added.get(element);
    if (!b.has(element)) added.set(element, other === undefined ? raw : smaller(raw, other));
  }
  const sorted = [...added].sort(([x], [y]) => (x < y ? -1 : 1));
  return `[${[...kept, ...sorted].map(([, raw]) => raw).join(',')}]`;
}

/** Canonical text to text, of each element once. */
function elementsOf(cell: Cell): Map<string, string> | undefined {
  if (cell === null) return new Map();
  const tree = parseJsonTree(cell);
  if (tree?.kind !== 'array') return undefined;
  const elements = new Map<string, string>();
  for (const { canonical, raw } of tree.elements) {
    const other = elements.get(canonical);
    elements.set(canonical, other === undefined ? raw : smaller(raw, other));
  }
  return elements;
}

const smaller = (a: string, b: string): string => (a < b ? a : b);

/** undefined: a clash, a side that removed the cell, or a cell that is not JSON. */
export function mergeJson({ base, ours, theirs }: Cells): string | undefined {
  if (ours === null || theirs === null) return undefined;
  const before = base === null ? undefined : parseJsonTree(base);
  const [o, t] = [parseJsonTree(ours), parseJsonTree(theirs)];
  if (o === undefined || t === undefined || (base !== null && before === undefined)) {
    return undefined;
  }
  const merged = mergeValues(before, o, t);
  return merged === CLASH ? undefined : merged;
}

const CLASH = Symbol('clash');

/** undefined stands for a value that is not there, in and out. */
function mergeValues(
  base: JsonTree | undefined,
  ours: JsonTree | undefined,
  theirs: JsonTree | undefined,
): string | undefined | typeof CLASH {
  if (ours?.canonical === theirs?.canonical) return respelled(base, ours, theirs);
  if (theirs?.canonical === base?.canonical) return ours?.raw;
  if (ours?.canonical === base?.canonical) return theirs?.raw;
  if (ours?.kind !== 'object' || theirs?.kind !== 'object') return CLASH;
  if (base !== undefined && base.kind !== 'object') return CLASH;
  return mergeMembers(base, ours, theirs);
}

/** Of two spellings of a value, base's if a side kept it and the other is base's value too. */
function respelled(
  base: JsonTree | undefined,
  ours: JsonTree | undefined,
  theirs: JsonTree | undefined,
): string | undefined {
  if (ours === undefined || theirs === undefined) return undefined;
  if (ours.raw === base?.raw) return theirs.raw;
  if (theirs.raw === base?.raw) return ours.raw;
  return smaller(ours.raw, theirs.raw);
}

function mergeMembers(
  base: JsonObject | undefined,
  ours: JsonObject,
  theirs: JsonObject,
): string | typeof CLASH {
  const known = base?.members ?? new Map<string, JsonMember>();
  const added = [...ours.members.keys(), ...theirs.members.keys()].filter((n) => !known.has(n));
  const members: string[] = [];
  for (const name of new Set([...known.keys(), ...added.sort()])) {
    const [b, o, t] = [known, ours.members, theirs.members].map((side) => side.get(name));
    const value = mergeValues(b?.value, o?.value, t?.value);
    if (value === CLASH) return CLASH;
    if (value !== undefined) members.push(`${nameOf(b, o, t)}:${value}`);
  }
  return `{${members.join(',')}}`;
}

/** The name in its quotes, as base spells it. */
function nameOf(...[base, ours, theirs]: readonly (JsonMember | undefined)[]): string {
  if (base !== undefined) return base.raw;
  if (ours === undefined || theirs === undefined) return (ours ?? theirs)!.raw;
  return smaller(ours.raw, theirs.raw);
}

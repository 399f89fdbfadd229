/**
 * The columns of a Parquet file as trees of fields, each with its levels (Dremel): a field's
 * definition level says from which level on it is there, a repeated field's repetition level
 * which entries continue it. Groups are known by their annotations as lists, maps or structs.
 *
 * Source: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#nested-types
 */
import type { SchemaElement, SchemaTree } from 'hyparquet';
import { DvError } from '../errors.ts';
import { badParquet, decoding } from './parquet-errors.ts';
import { kindOf, type LeafKind } from './parquet-kinds.ts';

export interface Leaf {
  /** Position among the column chunks of a row group. */
  readonly index: number;
  readonly path: readonly string[];
  readonly element: SchemaElement;
  readonly kind: LeafKind;
  readonly maxDef: number;
  readonly maxRep: number;
  /** Some value did not fit the column type of its kind. */
  unfit: boolean;
}

export type Shape = 'leaf' | 'struct' | 'list' | 'map';

export interface Field {
  readonly name: string;
  readonly repetition: 'REQUIRED' | 'OPTIONAL' | 'REPEATED';
  /** A list's and a map's only child is the repeated field that holds its elements. */
  readonly shape: Shape;
  /** Definition level from which on the field is there. */
  readonly def: number;
  /** Repetition level of the field, or of the nearest repeated one around it. */
  readonly rep: number;
  /** The leaves below, or the leaf itself. */
  readonly leaves: readonly Leaf[];
  readonly children: readonly Field[];
}

/** The fields of the root: the table's columns. */
export function columnFields(file: string, root: SchemaTree): Field[] {
  const builder = new FieldBuilder(file);
  const build = () => root.children.map((child) => builder.build(child, 0, 0));
  const fields = decoding({ file }, build);
  checkNames(file, fields);
  return fields;
}

function checkNames(file: string, fields: readonly Field[]): void {
  const seen = new Set<string>();
  for (const { name } of fields) {
    if (name !== '' && !seen.has(name)) {
      seen.add(name);
      continue;
    }
    const why = name === '' ? 'a column has no name' : `two columns are named "${name}"`;
    throw new DvError('bad-header', `"${file}": ${why}`, { data: { file, column: name } });
  }
}

class FieldBuilder {
  readonly #file: string;
  #leaves = 0;

  constructor(file: string) {
    this.#file = file;
  }

  build(tree: SchemaTree, def: number, rep: number): Field {
    const { element } = tree;
    const repetition = element.repetition_type ?? 'REQUIRED';
    const own = def + (repetition === 'REQUIRED' ? 0 : 1);
    const ownRep = rep + (repetition === 'REPEATED' ? 1 : 0);
    const base = { name: element.name, repetition, def: own, rep: ownRep };
    if (tree.children.length === 0) {
      const leaf = this.#leaf(tree, own, ownRep);
      return { ...base, shape: 'leaf', leaves: [leaf], children: [] };
    }
    if (element.logical_type?.type === 'VARIANT') {
      const place = { file: this.#file, column: tree.path[0] };
      throw badParquet(place, 'variant columns are not supported', 'write the column as JSON');
    }
    const children = tree.children.map((child) => this.build(child, own, ownRep));
    const leaves = children.flatMap((child) => child.leaves);
    return { ...base, shape: shapeOf(element, children), leaves, children };
  }

  #leaf(tree: SchemaTree, maxDef: number, maxRep: number): Leaf {
    const { element, path } = tree;
    if (element.type === undefined) {
      throw badParquet({ file: this.#file, column: path[0] }, 'damaged (a field without a type)');
    }
    const index = this.#leaves++;
    return { index, path, element, kind: kindOf(element), maxDef, maxRep, unfit: false };
  }
}

function shapeOf(element: SchemaElement, children: readonly Field[]): Shape {
  const annotation = element.logical_type?.type ?? element.converted_type;
  const [only] = children;
  if (children.length !== 1 || only.repetition !== 'REPEATED') return 'struct';
  if (annotation === 'LIST') return 'list';
  const isMap = annotation === 'MAP' || element.converted_type === 'MAP_KEY_VALUE';
  if (isMap && only.children.length > 0 && only.children.length <= 2) {
    return only.children[0].shape === 'leaf' ? 'map' : 'list';
  }
  return 'struct';
}

/**
 * What a list's elements are: the only child of the repeated field, or in files of old writers
 * the repeated field itself (undefined).
 */
export function elementField(list: Field): Field | undefined {
  const [repeated] = list.children;
  if (repeated.shape === 'leaf' || repeated.children.length > 1) return undefined;
  if (repeated.children[0].repetition === 'REPEATED') return undefined;
  if (repeated.name === 'array' || repeated.name === `${list.name}_tuple`) return undefined;
  return repeated.children[0];
}

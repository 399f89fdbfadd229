/**
 * Nested columns on their way out: the schema of a column that came from a Parquet file, as
 * text for the dialect, and JSON texts like those of parquet-nested.ts back into the lists and
 * objects that hyparquet-writer takes. Only the exact spelling of the reader is accepted, so
 * that what is written reads back the same.
 */
import type { ConvertedType, SchemaElement } from 'hyparquet';
import { isQuoted, type LeafKind } from './parquet-kinds.ts';
import { elementField, type Field } from './parquet-schema.ts';
import { type ColumnStorage, type Storage, storageOf } from './parquet-storage.ts';

/** A field as the dialect keeps it. `of`: a struct's fields, a list's element, key and value. */
interface Shape {
  readonly name: string;
  readonly optional: boolean;
  readonly kind: LeafKind | 'struct' | 'list' | 'map';
  readonly of: readonly Shape[];
}

/** The text to remember a nested column by; undefined where it cannot be written again. */
export function rememberNested(field: Field): string | undefined {
  const shape = shapeOf(field);
  return shape === undefined ? undefined : JSON.stringify({ ...shape, optional: true });
}

function shapeOf(field: Field): Shape | undefined {
  if (field.repetition === 'REPEATED') return undefined;
  const own = { name: field.name, optional: field.repetition === 'OPTIONAL' };
  if (field.shape === 'leaf') return { ...own, kind: field.leaves[0].kind, of: [] };
  const children = partsOf(field);
  const of = children?.map(shapeOf).filter((part) => part !== undefined);
  if (of === undefined || of.length !== children?.length) return undefined;
  return { ...own, kind: field.shape, of };
}

/** Without the repeated field between; undefined for layouts of old writers. */
function partsOf(field: Field): readonly Field[] | undefined {
  if (field.shape === 'struct') return field.children;
  if (field.shape === 'list') {
    const element = elementField(field);
    return element === undefined ? undefined : [element];
  }
  const [key, value] = field.children[0].children;
  return key.name === 'key' && value?.name === 'value' ? [key, value] : undefined;
}

/** How to write a column remembered by `text`; undefined where that is not a schema. */
export function nestedStorage(text: string): ColumnStorage | undefined {
  let shape: Shape;
  try {
    shape = JSON.parse(text) as Shape;
  } catch {
    return undefined;
  }
  const parse = (cell: string) => new CellParser(cell).whole(shape);
  return {
    elements: (name) => elementsOf({ ...shape, name, optional: true }),
    parse,
    plain: true,
    statistics: false,
  };
}

function elementsOf(shape: Shape): SchemaElement[] {
  const { name, optional, kind, of } = shape;
  const repetition_type = optional ? 'OPTIONAL' : 'REQUIRED';
  if (typeof kind === 'object') return [{ ...storageOf(kind).element, name, repetition_type }];
  const parts = of.flatMap(elementsOf);
  if (kind === 'struct') return [{ name, repetition_type, num_children: of.length }, ...parts];
  const converted_type: ConvertedType = kind === 'list' ? 'LIST' : 'MAP';
  const logical_type = { type: converted_type } as const;
  return [
    { name, repetition_type, num_children: 1, converted_type, logical_type },
    {
      name: kind === 'list' ? 'list' : 'key_value',
      repetition_type: 'REPEATED',
      num_children: of.length,
    },
    ...parts,
  ];
}

const STORAGES = new WeakMap<object, Storage>();

function storageFor(kind: LeafKind): Storage {
  let storage = STORAGES.get(kind);
  if (storage === undefined) {
    storage = storageOf(kind);
    STORAGES.set(kind, storage);
  }
  return storage;
}

/** Marks a text that is not as the reader would spell it. */
const MISFIT = Symbol('misfit');

class CellParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value, or undefined where the text does not fit. */
  whole(shape: Shape): unknown {
    const value = this.#value({ ...shape, optional: false });
    return value === MISFIT || this.#at !== this.#text.length ? undefined : value;
  }

  #skip(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #value(shape: Shape): unknown {
    if (shape.optional && this.#skip('null')) return null;
    switch (shape.kind) {
      case 'list':
        return this.#all('[', ']', () => this.#value(shape.of[0]));
      case 'map':
        return this.#all('{', '}', () => this.#entry(shape));
      case 'struct':
        return this.#struct(shape);
      default:
        return this.#leaf(shape.kind);
    }
  }

  #all(open: string, close: string, one: () => unknown): unknown {
    const values: unknown[] = [];
    if (!this.#skip(open)) return MISFIT;
    if (this.#skip(close)) return values;
    do {
      const value = one();
      if (value === MISFIT) return MISFIT;
      values.push(value);
    } while (this.#skip(','));
    return this.#skip(close) ? values : MISFIT;
  }

  #entry({ of: [key, value] }: Shape): unknown {
    const text = this.#string();
    const own =
      text === undefined || typeof key.kind !== 'object'
        ? undefined
        : storageFor(key.kind).parse(text);
    if (own === undefined || !this.#skip(':')) return MISFIT;
    const other = this.#value(value);
    return other === MISFIT ? MISFIT : { key: own, value: other };
  }

  #struct(shape: Shape): unknown {
    const object: Record<string, unknown> = Object.create(null);
    if (!this.#skip('{')) return MISFIT;
    for (const [i, part] of shape.of.entries()) {
      if (i > 0 && !this.#skip(',')) return MISFIT;
      if (!this.#skip(`${JSON.stringify(part.name)}:`)) return MISFIT;
      const value = this.#value(part);
      if (value === MISFIT) return MISFIT;
      object[part.name] = value;
    }
    return this.#skip('}') ? object : MISFIT;
  }

  #leaf(kind: LeafKind): unknown {
    const quoted = this.#text[this.#at] === '"';
    const text = quoted ? this.#string() : this.#bare();
    if (text === undefined) return MISFIT;
    const mustQuote = isQuoted(kind) || /[Ny]$/.test(text);
    return quoted === mustQuote ? (storageFor(kind).parse(text) ?? MISFIT) : MISFIT;
  }

  #bare(): string | undefined {
    const token = /[^,\]}"\s]+/y;
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  /** A string as JSON.stringify spells it. */
  #string(): string | undefined {
    const token = /"(?:[^"\\]|\\.)*"/y;
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    try {
      const text = JSON.parse(found) as string;
      return JSON.stringify(text) === found ? text : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Record assembly against the textbook shredder, over random schemas, values and page cuts. */
import fc from 'fast-check';
import type { SchemaElement } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../src/bytes.ts';
import { parquet } from '../../src/formats/parquet.ts';
import { LeafCursor } from '../../src/formats/parquet-leaf.ts';
import { NestedColumn } from '../../src/formats/parquet-nested.ts';
import { nestedStorage, rememberNested } from '../../src/formats/parquet-nested-values.ts';
import type { Page } from '../../src/formats/parquet-page.ts';
import { columnFields, type Field } from '../../src/formats/parquet-schema.ts';
import { joinByteArrays } from '../../src/formats/parquet-values.ts';
import { readTable, schemaOf, writeTable } from '../support/format-rows.ts';

/**
 * A schema with values of it. Values have one level for each level of the schema: a repeated
 * field is an array, a group an object of its children, an optional field may be null.
 */
interface Sample {
  readonly elements: SchemaElement[];
  readonly value: fc.Arbitrary<unknown>;
  readonly json: (value: never) => string;
}

const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

function optionally(sample: Sample, isOptional: boolean): Sample {
  const [own, ...rest] = sample.elements;
  if (!isOptional)
    return { ...sample, elements: [{ ...own, repetition_type: 'REQUIRED' }, ...rest] };
  return {
    elements: [{ ...own, repetition_type: 'OPTIONAL' }, ...rest],
    value: fc.option(sample.value, { nil: null }),
    json: (value: never) => (value === null ? 'null' : sample.json(value)),
  };
}

function named(sample: Sample, name: string): Sample {
  const [own, ...rest] = sample.elements;
  return { ...sample, elements: [{ ...own, name }, ...rest] };
}

const leafSample: fc.Arbitrary<Sample> = fc.constantFrom<Sample>(
  {
    elements: [{ name: 'n', type: 'INT64' }],
    value: fc.integer(),
    json: (value: never) => String(value),
  },
  {
    elements: [{ name: 't', ...text }],
    value: fc.string({ maxLength: 3 }),
    json: (value: never) => JSON.stringify(value),
  },
);

function structOf(children: Sample[]): Sample {
  const fields = children.map((child, i) => named(child, `f${i}`));
  return {
    elements: [
      { name: 's', num_children: fields.length },
      ...fields.flatMap(({ elements }) => elements),
    ],
    value: fc.tuple(...fields.map(({ value }) => value)),
    json: (value: never) =>
      `{${fields.map(({ json }, i) => `"f${i}":${json(value[i])}`).join(',')}}`,
  };
}

/** `wraps`: with the repeated group between that the format asks for. */
function listOf(item: Sample, wraps: boolean): Sample {
  const [own, ...rest] = item.elements;
  const middle: SchemaElement[] = wraps
    ? [{ name: 'list', repetition_type: 'REPEATED', num_children: 1 }, ...item.elements]
    : [{ ...own, name: 'array', repetition_type: 'REPEATED' }, ...rest];
  return {
    elements: [{ name: 'l', num_children: 1, converted_type: 'LIST' }, ...middle],
    value: fc
      .array(item.value, { maxLength: 3 })
      .map((items) => (wraps ? [items.map((one) => [one])] : [items])),
    json: (value: never) => {
      const [list] = value as [never[]];
      return `[${list.map((one) => item.json(wraps ? one[0] : one)).join(',')}]`;
    },
  };
}

function mapOf(item: Sample): Sample {
  const value = named(item, 'value');
  const entry = fc.tuple(fc.string({ maxLength: 2 }), value.value);
  return {
    elements: [
      { name: 'm', num_children: 1, converted_type: 'MAP' },
      { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
      { name: 'key', repetition_type: 'REQUIRED', ...text },
      ...value.elements,
    ],
    value: fc.array(entry, { maxLength: 3 }).map((entries) => [entries]),
    json: (map: never) => {
      const [list] = map as [[string, never][]];
      return `{${list.map(([key, own]) => `${JSON.stringify(key)}:${value.json(own)}`).join(',')}}`;
    },
  };
}

const { field } = fc.letrec<{ field: Sample; group: Sample }>((tie) => {
  const inner = tie('field') as fc.Arbitrary<Sample>;
  return {
    group: fc.oneof(
      fc.array(inner, { minLength: 1, maxLength: 3 }).map(structOf),
      inner.map((item) => listOf(item, true)),
      // Old lists, of elements that cannot be taken for the group between.
      fc.oneof(
        leafSample.map((item) => listOf(item, false)),
        inner.map((item) => listOf(structOf([item]), false)),
        fc.tuple(inner, inner).map((both) => listOf(structOf(both), false)),
      ),
      inner.map(mapOf),
    ),
    field: fc
      .tuple(
        fc.oneof({ maxDepth: 3 }, leafSample, tie('group') as fc.Arbitrary<Sample>),
        fc.boolean(),
      )
      .map(([sample, isOptional]) => optionally(sample, isOptional)),
  };
});

const cases = field.chain((sample) =>
  fc.record({
    sample: fc.constant(sample),
    rows: fc.array(sample.value, { minLength: 1, maxLength: 6 }),
    cuts: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
    step: fc.integer({ min: 1, max: 4 }),
  }),
);

interface Entry {
  readonly rep: number;
  readonly def: number;
  readonly value?: unknown;
}

/** Appends the entries of `value` to the lists of the leaves below `field`. */
function shred(field: Field, value: unknown, rep: number, def: number, into: Entry[][]): void {
  const items = value as unknown[];
  if (
    field.repetition === 'REPEATED'
      ? items.length === 0
      : field.repetition === 'OPTIONAL' && value === null
  ) {
    for (const leaf of field.leaves) into[leaf.index].push({ rep, def });
  } else if (field.repetition === 'REPEATED') {
    for (const [i, item] of items.entries()) shredOne(field, item, i === 0 ? rep : field.rep, into);
  } else {
    shredOne(field, value, rep, into);
  }
}

function shredOne(field: Field, value: unknown, rep: number, into: Entry[][]): void {
  if (field.shape === 'leaf') into[field.leaves[0].index].push({ rep, def: field.def, value });
  for (const [i, child] of field.children.entries()) {
    shred(child, (value as unknown[])[i], rep, field.def, into);
  }
}

function pageOf(entries: readonly Entry[], maxRep: number, maxDef: number): Page {
  const texts = entries
    .filter(({ def }) => def === maxDef)
    .map(({ value }) => Buffer.from(`${value}`));
  return {
    entries: entries.length,
    rows: entries.filter(({ rep }) => rep === 0).length,
    reps: maxRep === 0 ? undefined : Uint8Array.from(entries, ({ rep }) => rep),
    defs: maxDef === 0 ? undefined : Uint8Array.from(entries, ({ def }) => def),
    values: { ...joinByteArrays(texts), unfit: false },
    indexes: undefined,
  };
}

function cursorsOf(root: Field, rows: readonly unknown[], cuts: readonly number[]): LeafCursor[] {
  const entries: Entry[][] = root.leaves.map(() => []);
  for (const row of rows) shred(root, row, 0, 0, entries);
  return root.leaves.map((leaf) => {
    let at = 0;
    let page = 0;
    const next = async () => {
      const part = entries[leaf.index].slice(at, at + cuts[page++ % cuts.length]);
      at += part.length;
      return part.length === 0 ? undefined : pageOf(part, leaf.maxRep, leaf.maxDef);
    };
    return new LeafCursor(leaf, { next });
  });
}

function fieldOf(sample: Sample): Field {
  const schema = [{ name: 'root', num_children: 1 }, ...sample.elements];
  return columnFields('rows', parquetSchema({ schema }))[0];
}

describe('nested columns', () => {
  test('are put together as they were taken apart, wherever pages end', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ sample, rows, cuts, step }) => {
        const root = fieldOf(sample);
        const cursors = cursorsOf(root, rows, cuts);
        const column = new NestedColumn(root, cursors);
        const out = new ByteWriter();
        const texts: (string | null)[] = [];
        for (let row = 0; row < rows.length; row++) {
          if (row % step === 0) for (const cursor of cursors) await cursor.prepare(step);
          texts.push(column.write(out.clear()) ? out.take().toString() : null);
        }
        const expected = rows.map((row) => sample.json(row as never));
        expect(texts).toEqual(expected.map((json) => (json === 'null' ? null : json)));
        expect(cursors.map(({ rep }) => rep)).toEqual(cursors.map(() => -1));
      }),
      { numRuns: 500 },
    );
  });

  test('remembered, take the texts that reading them gives, and no other spelling', () => {
    const damage = fc.tuple(fc.nat(), fc.constantFrom(' ', '', '"', ',', '0', '}'));
    fc.assert(
      fc.property(cases, damage, ({ sample, rows }, [where, what]) => {
        const remembered = rememberNested(fieldOf(sample));
        if (remembered === undefined) return;
        const storage = nestedStorage(remembered)!;
        for (const row of rows) {
          const json = sample.json(row as never);
          if (json === 'null') continue;
          expect(spell(JSON.parse(remembered), storage.parse(json))).toBe(json);
          const at = where % (json.length + 1);
          const other = json.slice(0, at) + what + json.slice(at + 1);
          const value = storage.parse(other);
          if (value !== undefined) expect(spell(JSON.parse(remembered), value)).toBe(other);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('a nested column is written as it was, and reads back the same', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ sample, rows }) => {
      const schema = rememberNested({ ...fieldOf(sample), name: 'c' });
      if (schema === undefined || sample.elements.length === 1) return;
      const texts = rows.map((row) => sample.json(row as never));
      const cells = texts.map((json) => [json === 'null' ? null : json]);
      const dialect = { format: 'parquet', parquet: { columns: [{ ...NESTED, schema }] } } as const;
      const bytes = await writeTable(parquet, schemaOf(['c'], ['json']), cells, dialect, 2);
      const table = await readTable(parquet, bytes);
      expect(table.rows).toEqual(cells);
      expect(table.dialect.parquet?.columns).toEqual(dialect.parquet.columns);
    }),
    { numRuns: 300 },
  );
});

const NESTED = { name: 'c', kind: 'nested' };

interface Shape {
  readonly name: string;
  readonly kind: unknown;
  readonly of: readonly Shape[];
}

/** What hyparquet-writer is given, as text. */
function spell(shape: Shape, value: unknown): string {
  if (value === null) return 'null';
  const { kind, of } = shape;
  if (kind === 'list') return `[${(value as []).map((one) => spell(of[0], one)).join(',')}]`;
  if (kind === 'map') {
    const entries = value as { key: string; value: unknown }[];
    const texts = entries.map(
      (entry) => `${JSON.stringify(entry.key)}:${spell(of[1], entry.value)}`,
    );
    return `{${texts.join(',')}}`;
  }
  if (kind === 'struct') {
    const object = value as Record<string, unknown>;
    return `{${of.map((part) => `"${part.name}":${spell(part, object[part.name])}`).join(',')}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

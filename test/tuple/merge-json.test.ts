/** The rules `union` and `json` against merges of plain values, and what they keep of texts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJsonTree } from '../../src/tuple/json-tree.ts';
import { mergeJson, uniteArrays } from '../../src/tuple/merge-json.ts';
import { value as anyJson } from '../support/json-arbitrary.ts';

describe('union', () => {
  const elements = fc.array(fc.constantFrom(1, 2, 3, 'a', 'b', null, [1], { a: 1 }), {
    maxLength: 5,
  });
  const unite = (base: string | null, ours: string | null, theirs: string | null) =>
    uniteArrays({ base, ours, theirs });

  test('keeps what nobody removed, in order, and adds what either added, once', () => {
    fc.assert(
      fc.property(elements, elements, elements, (base, ours, theirs) => {
        const texts = (list: readonly unknown[]) => [
          ...new Set(list.map((e) => JSON.stringify(e))),
        ];
        const [b, o, t] = [texts(base), texts(ours), texts(theirs)];
        const kept = b.filter((e) => o.includes(e) && t.includes(e));
        const added = texts([...ours, ...theirs])
          .filter((e) => !b.includes(e))
          .sort();
        const [x, y, z] = [base, ours, theirs].map((list) => JSON.stringify(list));
        expect(unite(x, y, z)).toBe(`[${[...kept, ...added].join()}]`);
        expect(unite(x, z, y)).toBe(unite(x, y, z));
      }),
    );
  });

  test('a chain of merges may be made in any order', () => {
    fc.assert(
      fc.property(elements, elements, elements, elements, (base, a, b, c) => {
        const [w, x, y, z] = [base, a, b, c].map((list) => JSON.stringify(list));
        const then = (p: string, q: string) => unite(w, p, q) ?? '';
        expect(then(then(x, y), z)).toBe(then(x, then(y, z)));
      }),
    );
  });

  test('elements are told by value and keep their text; numbers keep every digit', () => {
    expect(unite('["\\u0061", {"b":2, "a":1}]', '["a",{"a":1,"b":2}, 1.0]', '["a",1]')).toBe(
      '["\\u0061",1,1.0]',
    );
    expect(unite(null, '[12345678901234567890]', '[12345678901234567891]')).toBe(
      '[12345678901234567890,12345678901234567891]',
    );
    expect(unite('["a"]', null, '["a","b"]')).toBe('["b"]');
  });

  test('what is no array is for a person', () => {
    expect(unite('[]', '{}', '[1]')).toBeUndefined();
    expect(unite('1', '[1]', '[2]')).toBeUndefined();
    expect(unite('[]', '[1', '[2]')).toBeUndefined();
  });
});

describe('json', () => {
  type Value = number | string | readonly number[] | { readonly [name: string]: Value };
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<Value>(1, 2, 'x', [1], [2]),
      fc.dictionary(fc.constantFrom('a', 'b', '2', '__proto__'), tie('value'), { maxKeys: 3 }),
    ),
  }));
  const isObject = (v: Value | undefined): v is { readonly [name: string]: Value } =>
    typeof v === 'object' && !Array.isArray(v);
  const canonical = (v: Value | undefined): string | undefined => {
    if (v === undefined || !isObject(v)) return v === undefined ? undefined : JSON.stringify(v);
    const members = Object.entries(v).map(([k, w]) => `${JSON.stringify(k)}:${canonical(w)}`);
    return `{${members.sort().join()}}`;
  };

  /** The same merge on values; throws at a clash. */
  function model(base?: Value, ours?: Value, theirs?: Value): Value | undefined {
    const [b, o, t] = [canonical(base), canonical(ours), canonical(theirs)];
    if (o === t || t === b) return ours;
    if (o === b) return theirs;
    if (!isObject(ours) || !isObject(theirs) || (base !== undefined && !isObject(base))) {
      throw new RangeError('clash');
    }
    const names = [base ?? {}, ours, theirs].flatMap(Object.keys);
    const own = (side: Value | undefined, name: string) =>
      isObject(side) && Object.hasOwn(side, name) ? side[name] : undefined;
    const members = [...new Set(names)].map(
      (name) => [name, model(own(base, name), own(ours, name), own(theirs, name))] as const,
    );
    return Object.fromEntries(members.filter(([, v]) => v !== undefined)) as Value;
  }

  test('is the merge of the values, name by name', () => {
    fc.assert(
      fc.property(fc.option(value), value, value, (base, ours, theirs) => {
        const [b, o, t] = [base, ours, theirs].map((v) => (v === null ? null : JSON.stringify(v)));
        const merged = mergeJson({ base: b, ours: o, theirs: t });
        let expected: string | undefined;
        try {
          expected = canonical(model(base ?? undefined, ours, theirs));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
        expect(merged === undefined ? undefined : parseJsonTree(merged)?.canonical).toBe(expected);
        expect(mergeJson({ base: b, ours: t, theirs: o })).toBe(merged);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    [
      '{"a":1,"b":{"x":1}}',
      '{"a":1.00,"b":{"x":1}}',
      '{"a":1,"b":{"x":1,"y":[ ]}}',
      '{"a":1.00,"b":{"x":1,"y":[ ]}}',
    ],
    [
      '{"n":1}',
      '{"n":12345678901234567890.10}',
      '{"n":1, "é":"\\u00e9"}',
      '{"n":12345678901234567890.10,"é":"\\u00e9"}',
    ],
    ['{"z":1,"a":2}', '{"z":1,"a":2,"m":3}', '{"z":1,"a":2,"c":4}', '{"z":1,"a":2,"c":4,"m":3}'],
  ])('%s: keeps texts and the order of names', (base, ours, theirs, merged) => {
    expect(mergeJson({ base, ours, theirs })).toBe(merged);
  });

  test('a clash, a removed cell and what is not JSON are for a person', () => {
    expect(mergeJson({ base: '{"a":1}', ours: '{"a":2}', theirs: '{"a":3}' })).toBeUndefined();
    expect(mergeJson({ base: '{"a":1}', ours: '{}', theirs: '{"a":3}' })).toBeUndefined();
    expect(mergeJson({ base: '{}', ours: null, theirs: '{"a":3}' })).toBeUndefined();
    expect(mergeJson({ base: '{}', ours: '{', theirs: '{"a":3}' })).toBeUndefined();
    const twice = '{"a":1,"a":2}';
    expect(mergeJson({ base: '{}', ours: twice, theirs: '{"b":1}' })).toBeUndefined();
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(mergeJson({ base: '[]', ours: deep, theirs: '[1]' })).toBeUndefined();
  });
});

test('the canonical text of JSON does not depend on its spelling, and is the value', () => {
  fc.assert(
    fc.property(anyJson, ({ loose, compact }) => {
      const [a, b] = [parseJsonTree(loose), parseJsonTree(compact)];
      expect(a?.canonical).toBe(b?.canonical);
      // An object that has a name twice is no tree.
      if (a === undefined) return;
      expect(a.raw).toBe(loose.trim());
      expect(JSON.parse(a.canonical)).toEqual(JSON.parse(compact));
    }),
  );
});

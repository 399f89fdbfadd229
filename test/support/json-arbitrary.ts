/** JSON texts whose cells are known because they are made together, in every spelling. */
import fc from 'fast-check';
import type { Cell } from '../../src/tuple/schema.ts';

export interface JsonText {
  /** As it may stand in a file: white space and escapes at random. */
  readonly loose: string;
  /** Without white space between tokens; otherwise the same. */
  readonly compact: string;
  /** What a plain cell of it holds. */
  readonly cell: Cell;
  readonly kind: 'string' | 'number' | 'boolean' | 'null' | 'nested';
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** One UTF-16 unit, spelled one way or another. */
function spell(unit: string, choice: number): string {
  const must = unit === '"' || unit === '\\' || unit < ' ';
  if (choice % 3 === 0 && SHORT[unit] !== undefined) return SHORT[unit];
  if (must || choice % 7 === 1) {
    const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${choice % 2 ? hex.toUpperCase() : hex}`;
  }
  return unit;
}

/** A character at a time: half of a pair must not stand unescaped. */
function spellText(text: string, choices: readonly number[]): string {
  let at = 0;
  return [...text]
    .map((character) => {
      const choice = choices[at++ % choices.length];
      const whole = spell(character[0], choice) === character[0];
      if (character.length === 2 && whole) return character;
      const how = character.length === 2 ? 1 : choice;
      return [...Array(character.length).keys()].map((i) => spell(character[i], how)).join('');
    })
    .join('');
}

export const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom('a', '"', '\\', '/', '\n', '\u0000', 'é', '€', '😀') }),
  fc.constantFrom('', 'null', 'true', '1', '1.50', 'NaN', '{}', '[1, 2]', '"', '\u2028'),
);

const choices = fc.array(fc.nat(20), { minLength: 1, maxLength: 5 });

export const string: fc.Arbitrary<JsonText> = fc.tuple(text, choices).map(([cell, some]) => {
  const spelled = `"${spellText(cell, some)}"`;
  return { loose: spelled, compact: spelled, cell, kind: 'string' };
});

export const number: fc.Arbitrary<JsonText> = fc
  .oneof(
    fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/),
    fc.constantFrom('0', '-0', '1.50', '1e5', '123456789012345678901234567890'),
  )
  .map((lexeme) => ({ loose: lexeme, compact: lexeme, cell: lexeme, kind: 'number' }));

const boolean: fc.Arbitrary<JsonText> = fc
  .constantFrom('true', 'false')
  .map((word) => ({ loose: word, compact: word, cell: word, kind: 'boolean' }));

const nothing: fc.Arbitrary<JsonText> = fc.constant({
  loose: 'null',
  compact: 'null',
  cell: null,
  kind: 'null',
});

/**
 * Names that JSON.parse may be trusted with: where an earlier object had a name with a
 * backslash, V8 takes other escaped names for it (nodejs/node#63785).
 */
const safeName = string.filter(({ cell }) => !cell!.includes('\\'));

/** White space that may also stand in a line. */
const blank = fc.constantFrom('', '', '', ' ', '\t', '  ', '\r');

export const { value, nested } = fc.letrec<{ value: JsonText; nested: JsonText }>((tie) => ({
  nested: fc
    .tuple(fc.boolean(), fc.array(fc.tuple(safeName, tie('value')), { maxLength: 3 }), blank, blank)
    .map(([isObject, members, before, behind]): JsonText => {
      const loose = members.map(([name, item]) => {
        const member = isObject ? `${name.loose}${before}:${behind}${item.loose}` : item.loose;
        return `${behind}${member}${before}`;
      });
      const compact = members.map(([name, item]) =>
        isObject ? `${name.compact}:${item.compact}` : item.compact,
      );
      const [open, close] = isObject ? '{}' : '[]';
      const whole = `${open}${compact.join(',')}${close}`;
      const inside = members.length === 0 ? before : loose.join(',');
      return { loose: `${open}${inside}${close}`, compact: whole, cell: whole, kind: 'nested' };
    }),
  value: fc.oneof({ maxDepth: 3 }, string, number, boolean, nothing, tie('nested')),
}));

export interface JsonRecord {
  readonly loose: string;
  readonly members: ReadonlyMap<string, JsonText>;
}

const anyName = fc.oneof(fc.constantFrom('a', 'b', 'c', 'ab', '"', '\\', 'a\\"b'), text);

/** An object of members with different names. */
function recordOf(name: fc.Arbitrary<string>): fc.Arbitrary<JsonRecord> {
  const member = fc.tuple(name, value);
  return fc
    .tuple(
      fc.uniqueArray(member, { selector: ([own]) => own, maxLength: 6 }),
      choices,
      blank,
      blank,
    )
    .map(([some, spelling, before, behind]) => {
      const members = some.filter(([own]) => own !== '');
      const written = members.map(
        ([own, item]) =>
          `${behind}"${spellText(own, spelling)}"${before}:${behind}${item.loose}${before}`,
      );
      return { loose: `{${written.join(',') || before}}`, members: new Map(members) };
    });
}

export const record = recordOf(anyName);

/** Records that JSON.parse reads right. */
export const safeRecord = recordOf(anyName.filter((own) => !own.includes('\\')));

/** The columns and rows that reading the records must give. */
export function tableOf(records: readonly JsonRecord[], raw: ReadonlySet<string> = new Set()) {
  const columns = [...new Set(records.flatMap(({ members }) => [...members.keys()]))];
  const cellOf = (own: string, item: JsonText | undefined): Cell => {
    if (item === undefined || item.kind === 'null') return null;
    return raw.has(own) ? item.compact : item.cell;
  };
  const rows = records.map(({ members }) => columns.map((own) => cellOf(own, members.get(own))));
  return { columns, rows };
}

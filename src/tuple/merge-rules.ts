/**
 * Merge rules as data: which rule is a column's, which rules suit a type, rules as words of a
 * command line (`population=max '*'=latest rows=update-wins`), and their own three-way merge.
 */
import { DvError } from '../errors.ts';
import {
  COLUMN_RULES,
  type Column,
  type ColumnRule,
  type ColumnType,
  type MergeRules,
  ROW_RULES,
  type RowRule,
  type Schema,
} from './schema.ts';

/** The types whose cells a rule can decide; every type where it is not named. */
const SUITED: Partial<Record<ColumnRule, readonly ColumnType[]>> = {
  max: ['text', 'integer', 'decimal', 'float', 'boolean', 'date', 'timestamp'],
  min: ['text', 'integer', 'decimal', 'float', 'boolean', 'date', 'timestamp'],
  sum: ['integer', 'decimal', 'float'],
  union: ['json'],
  json: ['json'],
  text: ['text'],
};

export function suits(rule: ColumnRule, type: ColumnType): boolean {
  return SUITED[rule]?.includes(type) ?? true;
}

/** The rule in force: the column's own, else that of all others, where it suits the type. */
export function ruleOf(schema: Schema, columnName: string): ColumnRule {
  const { rules } = schema;
  const type = schema.columns.find(({ name }) => name === columnName)?.type;
  if (rules === undefined || type === undefined) return 'conflict';
  const rule = ownRule(rules, columnName) ?? rules.others ?? 'conflict';
  return suits(rule, type) ? rule : 'conflict';
}

export function rowRuleOf(schema: Schema): RowRule {
  return schema.rules?.rows ?? 'conflict';
}

/** A column may be named like a member of every object. */
function ownRule(rules: MergeRules | undefined, name: string): ColumnRule | undefined {
  return rules !== undefined && Object.hasOwn(rules.columns, name)
    ? rules.columns[name]
    : undefined;
}

/** @throws DvError `unknown-rule`, `unknown-column`, `rule-mismatch` */
export function checkRules(schema: Schema, rules: MergeRules): void {
  for (const [name, rule] of Object.entries(rules.columns)) {
    const place = schema.columns.findIndex((column) => column.name === name);
    if (place < 0) {
      const known = schema.columns.map((column) => column.name);
      throw new DvError('unknown-column', `there is no column "${name}"`, {
        hint: `the columns are ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', ...' : ''}`,
        data: { column: name },
      });
    }
    checkColumnRule(schema, place, rule);
  }
  if (rules.others !== undefined) parseColumnRule(rules.others);
  if (rules.rows !== undefined) parseRowRule(rules.rows);
  const isRuled = rules.others !== undefined || Object.keys(rules.columns).length > 0;
  if (isRuled && schema.key.length === 0) {
    throw new DvError('rule-mismatch', 'a table without a key takes no rules for its cells', {
      hint: 'its rows have no identity: a change is a row removed and a row added',
    });
  }
}

function checkColumnRule(schema: Schema, place: number, rule: ColumnRule): void {
  parseColumnRule(rule);
  const { name, type } = schema.columns[place];
  const data = { column: name, rule, type };
  if (schema.key.includes(place)) {
    const message = `the key column "${name}" takes no rule`;
    throw new DvError('rule-mismatch', message, { hint: 'no merge changes a key', data });
  }
  if (suits(rule, type)) return;
  const message = `the rule "${rule}" does not suit "${name}", a column of type ${type}`;
  const hint = `it suits columns of type ${SUITED[rule]?.join(', ')}`;
  throw new DvError('rule-mismatch', message, { hint, data });
}

/** What a command asks for. null takes a rule away. */
export interface RuleChanges {
  readonly columns: ReadonlyMap<string, ColumnRule | null>;
  readonly others?: ColumnRule | null;
  readonly rows?: RowRule | null;
}

/**
 * Words such as `name=max`, `*=latest`, `rows=update-wins`, `name=none` or `name=`. A column that
 * is itself named `rows` or `*`, or begins with a quote, stands in JSON's quotes.
 * @throws DvError `bad-option`, `unknown-rule`
 */
export function parseRules(words: readonly string[]): RuleChanges {
  const columns = new Map<string, ColumnRule | null>();
  let changes: Omit<RuleChanges, 'columns'> = {};
  for (const word of words) {
    const equals = word.lastIndexOf('=');
    if (equals < 1) {
      throw new DvError('bad-option', `"${word}" is not COLUMN=RULE`, {
        hint: 'such as population=max',
      });
    }
    const [target, rule] = [word.slice(0, equals), word.slice(equals + 1)];
    const isNone = rule === '' || rule === 'none';
    if (target === 'rows') changes = { ...changes, rows: isNone ? null : parseRowRule(rule) };
    else {
      const value = isNone ? null : parseColumnRule(rule);
      if (target === '*') changes = { ...changes, others: value };
      else columns.set(parseName(target), value);
    }
  }
  return { ...changes, columns };
}

function parseName(target: string): string {
  if (!target.startsWith('"')) return target;
  try {
    const name: unknown = JSON.parse(target);
    if (typeof name === 'string') return name;
  } catch {}
  throw new DvError('bad-option', `${target} is not a quoted column name`);
}

function parseColumnRule(word: string): ColumnRule {
  return COLUMN_RULES.find((rule) => rule === word) ?? unknownRule(word, 'columns', COLUMN_RULES);
}

function parseRowRule(word: string): RowRule {
  return ROW_RULES.find((rule) => rule === word) ?? unknownRule(word, 'rows', ROW_RULES);
}

function unknownRule(word: string, what: string, known: readonly string[]): never {
  throw new DvError('unknown-rule', `there is no rule "${word}" for ${what}`, {
    hint: `the rules are ${known.join(', ')}; none takes a rule away`,
    data: { rule: word },
  });
}

/** The words that `parseRules` reads: columns by name, then `*`, then `rows`. */
export function formatRules(rules: MergeRules | undefined): string[] {
  if (rules === undefined) return [];
  const columns = Object.entries(rules.columns).sort(([a], [b]) => (a < b ? -1 : 1));
  const words = columns.map(([name, rule]) => `${formatName(name)}=${rule}`);
  if (rules.others !== undefined) words.push(`*=${rules.others}`);
  if (rules.rows !== undefined) words.push(`rows=${rules.rows}`);
  return words;
}

function formatName(name: string): string {
  return name === '*' || name === 'rows' || name === '' || name.startsWith('"')
    ? JSON.stringify(name)
    : name;
}

/** The rules after a change; undefined: none are left. */
export function changeRules(
  rules: MergeRules | undefined,
  changes: RuleChanges,
): MergeRules | undefined {
  const columns = new Map(Object.entries(rules?.columns ?? {}));
  for (const [name, rule] of changes.columns) {
    if (rule === null) columns.delete(name);
    else columns.set(name, rule);
  }
  const { others = rules?.others, rows = rules?.rows } = changes;
  return tidyRules([...columns], others ?? undefined, rows ?? undefined);
}

/** By name, so that equal rules are equal bytes; undefined where there is nothing to say. */
function tidyRules(
  columns: readonly (readonly [string, ColumnRule])[],
  others: ColumnRule | undefined,
  rows: RowRule | undefined,
): MergeRules | undefined {
  if (columns.length === 0 && others === undefined && rows === undefined) return undefined;
  return {
    columns: recordOf([...columns].sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(others === undefined ? {} : { others }),
    ...(rows === undefined ? {} : { rows }),
  };
}

/** `Object.fromEntries` makes own members even of names such as `__proto__`. */
const recordOf = (entries: readonly (readonly [string, ColumnRule])[]) =>
  Object.fromEntries(entries);

/** Only the rules of columns that `names` has. */
export function rulesForColumns(
  rules: MergeRules | undefined,
  names: readonly string[],
): MergeRules | undefined {
  if (rules === undefined) return undefined;
  const kept = Object.entries(rules.columns).filter(([name]) => names.includes(name));
  return tidyRules(kept, rules.others, rules.rows);
}

/**
 * A schema with the rules that its columns can have: none of columns gone or in the key, and
 * without a key none for cells.
 */
export function withRules(
  { columns, key }: { readonly columns: readonly Column[]; readonly key: readonly number[] },
  rules: MergeRules | undefined,
): Schema {
  const names = columns.filter((_, i) => !key.includes(i)).map(({ name }) => name);
  const asked = key.length > 0 || rules === undefined ? rules : { ...rules, others: undefined };
  const kept = rulesForColumns(asked, key.length > 0 ? names : []);
  return kept === undefined ? { columns, key } : { columns, key, rules: kept };
}

export function sameRules(a: MergeRules | undefined, b: MergeRules | undefined): boolean {
  const text = (rules: MergeRules | undefined) => formatRules(rules).join('\0');
  return text(a) === text(b);
}

/**
 * The rules of a merged table. Symmetric in the sides. `clashes` are columns, quoted, that both
 * sides gave different rules; they come out without one.
 */
export function mergeRules3(
  base: MergeRules | undefined,
  ours: MergeRules | undefined,
  theirs: MergeRules | undefined,
): { readonly rules: MergeRules | undefined; readonly clashes: string[] } {
  const clashes: string[] = [];
  const merge = <T>(what: string, b: T, o: T, t: T): T | undefined => {
    if (o === t || t === b) return o;
    if (o === b) return t;
    clashes.push(what);
    return undefined;
  };
  const names = new Set([base, ours, theirs].flatMap((side) => Object.keys(side?.columns ?? {})));
  const columns = [...names].sort().flatMap((name) => {
    const [b, o, t] = [base, ours, theirs].map((side) => ownRule(side, name));
    const rule = merge(JSON.stringify(name), b, o, t);
    return rule === undefined ? [] : [[name, rule] as const];
  });
  const others = merge('"*"', base?.others, ours?.others, theirs?.others);
  const rows = merge('its rows', base?.rows, ours?.rows, theirs?.rows);
  return { rules: tidyRules(columns, others, rows), clashes };
}

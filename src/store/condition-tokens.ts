/**
 * The words of an SQL expression, as far as dv must know them before SQLite reads it: which
 * columns it names, and where it compares a true/false column with the text 'true' or 'false'.
 * Everything else is SQLite's business.
 * Source: https://www.sqlite.org/lang_keywords.html, https://www.sqlite.org/lang_expr.html
 */

export interface Token {
  readonly kind: 'space' | 'string' | 'name' | 'other';
  /** As written. */
  readonly text: string;
  /** What a name or a string means, quotes taken off. */
  readonly meaning: string;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+|--[^\n]*|\/\*[^]*?(?:\*\/|$))`,
    `(?<string>'(?:[^']|'')*')`,
    '(?<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\\[[^\\]]*\\])',
    String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
    String.raw`(?<other>\d[\w.]*|==|<>|!=|[^])`,
  ].join('|'),
  'g',
);

export function tokenize(sql: string): Token[] {
  return [...sql.matchAll(TOKEN)].map(({ 0: text, groups = {} }): Token => {
    if (groups.space !== undefined) return { kind: 'space', text, meaning: '' };
    if (groups.string !== undefined) return { kind: 'string', text, meaning: unquote(text) };
    if (groups.quoted !== undefined) return { kind: 'name', text, meaning: unquote(text) };
    if (groups.word !== undefined) return { kind: 'name', text, meaning: text };
    return { kind: 'other', text, meaning: text };
  });
}

function unquote(text: string): string {
  const quote = text[0];
  const inner = text.slice(1, -1);
  return quote === '[' ? inner : inner.replaceAll(quote + quote, quote);
}

/** SQLite's idea of one name: ASCII letters alike in both cases. */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const COMPARISONS = new Set(['=', '==', '<>', '!=', 'is']);

/**
 * The expression with 'true' and 'false' as TRUE and FALSE where they are compared with a
 * name that `isBoolean` knows: by =, ==, <>, !=, IS, IS NOT, IN and NOT IN.
 */
export function rewriteBooleans(
  tokens: readonly Token[],
  isBoolean: (name: string) => boolean,
): string {
  const words = tokens.filter((token) => token.kind !== 'space');
  const replaced = new Set(words.filter((_, i) => isBooleanText(words, i, isBoolean)));
  return tokens.map((token) => (replaced.has(token) ? token.meaning : token.text)).join('');
}

function isBooleanText(
  words: readonly Token[],
  i: number,
  isBoolean: (name: string) => boolean,
): boolean {
  const { kind, meaning } = words[i];
  if (kind !== 'string' || (meaning !== 'true' && meaning !== 'false')) return false;
  const named = (at: number): boolean => words[at]?.kind === 'name' && isBoolean(words[at].meaning);
  // 1. name = 'true', name IS NOT 'true'
  const not = word(words, i - 1) === 'not' && word(words, i - 2) === 'is' ? 1 : 0;
  if (COMPARISONS.has(word(words, i - 1 - not)) && named(i - 2 - not)) return true;
  // 2. 'true' = name, 'true' IS NOT name
  const after = word(words, i + 1) === 'is' && word(words, i + 2) === 'not' ? 1 : 0;
  if (COMPARISONS.has(word(words, i + 1)) && named(i + 2 + after)) return true;
  // 3. name IN ('true', ...), name NOT IN ('true', ...)
  let open = i - 1;
  while (word(words, open) === ',' || words[open]?.kind === 'string') open -= 1;
  if (word(words, open) !== '(' || word(words, open - 1) !== 'in') return false;
  return named(open - (word(words, open - 2) === 'not' ? 3 : 2));
}

/** An operator or keyword in lower case; '' where there is none. */
function word(words: readonly Token[], at: number): string {
  const token = words[at];
  return token === undefined || token.kind === 'string' ? '' : token.text.toLowerCase();
}

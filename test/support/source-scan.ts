/**
 * Just enough of TypeScript's lexis to read a source honestly: code without its comments
 * and texts, and the modules it imports, type imports and dynamic ones included.
 */

export interface ScannedSource {
  /** The source with comments and the insides of strings, templates and regexes blanked. */
  readonly code: string;
  readonly imports: readonly { readonly specifier: string; readonly line: number }[];
}

const IMPORT_BEFORE = /(?:\bfrom|\bimport|\b(?:import|require)\s*\()\s*$/;
/** After one of these a slash starts a regular expression; else it divides. */
const REGEX_BEFORE =
  /(?:^|[(,=:[!&|?{};+*%~^<>-]|\b(?:return|typeof|case|in|of|do|else|yield|await))\s*$/;

export function scanSource(text: string): ScannedSource {
  const code = [...text];
  const imports: { specifier: string; line: number }[] = [];
  /** Depth of braces at which each open `${` of a template ends. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;

  const before = () => code.slice(Math.max(0, at - 200), at).join('');
  const blank = (start: number, end: number) => {
    for (let i = start; i < end; i++) if (code[i] !== '\n') code[i] = ' ';
  };
  /** Skips to behind the character `end`; a backslash hides the one behind it. */
  const skipTo = (end: string, from: number): number => {
    let i = from;
    while (i < code.length && code[i] !== end) i += code[i] === '\\' ? 2 : 1;
    return i + 1;
  };

  function skipString(quote: string): void {
    const end = skipTo(quote, at + 1);
    if (IMPORT_BEFORE.test(before())) {
      const specifier = code.slice(at + 1, end - 1).join('');
      imports.push({ specifier, line: code.slice(0, at).filter((c) => c === '\n').length + 1 });
    }
    blank(at + 1, end - 1);
    at = end;
  }

  /** From behind a backtick or a closing `}` to the next `${` or the end of the template. */
  function skipTemplate(): void {
    const start = at;
    while (at < code.length && code[at] !== '`' && !(code[at] === '$' && code[at + 1] === '{')) {
      at += code[at] === '\\' ? 2 : 1;
    }
    blank(start, Math.min(at, code.length));
    if (code[at] === '`') at += 1;
    else {
      templates.push(depth);
      depth += 1;
      at += 2;
    }
  }

  function skipRegex(): void {
    let inClass = false;
    let i = at + 1;
    for (; i < code.length && (inClass || code[i] !== '/'); i++) {
      if (code[i] === '\\') i += 1;
      else if (code[i] === '[') inClass = true;
      else if (code[i] === ']') inClass = false;
    }
    blank(at + 1, i);
    at = i + 1;
  }

  function skipComment(end: number): void {
    blank(at, end);
    at = end;
  }

  while (at < code.length) {
    const c = code[at];
    const next = code[at + 1];
    if (c === '/' && next === '/') skipComment(indexOf(code, '\n', at));
    else if (c === '/' && next === '*') skipComment(indexOfPair(code, '*', '/', at + 2));
    else if (c === "'" || c === '"') skipString(c);
    else if (c === '`') {
      at += 1;
      skipTemplate();
    } else if (c === '/' && REGEX_BEFORE.test(before())) skipRegex();
    else {
      if (c === '{') depth += 1;
      if (c === '}') depth -= 1;
      at += 1;
      if (c === '}' && templates.at(-1) === depth) {
        templates.pop();
        skipTemplate();
      }
    }
  }
  return { code: code.join(''), imports };
}

function indexOf(code: readonly string[], wanted: string, from: number): number {
  const found = code.indexOf(wanted, from);
  return found < 0 ? code.length : found;
}

function indexOfPair(code: readonly string[], a: string, b: string, from: number): number {
  for (let i = from; i + 1 < code.length; i++) if (code[i] === a && code[i + 1] === b) return i + 2;
  return code.length;
}

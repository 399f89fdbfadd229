/**
 * JSON text taken apart one level deep, each value kept as it was written: `1.50` and a
 * 30-digit integer keep their digits, a member named `2020` keeps its place, and a name
 * given twice is noticed. `JSON.parse` vouches for the text; the rest is finding commas.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Name and JSON text of each member; undefined when `text` is not one JSON object. */
export function splitMembers(text: string): [name: string, json: string][] | undefined {
  if (!isJsonOf('{', text)) return undefined;
  const members: [string, string][] = [];
  const names = new Set<string>();
  for (let at = text.indexOf('{') + 1; ; ) {
    const open = text.indexOf('"', at);
    if (open < 0) return members;
    const close = stringEnd(text, open);
    const name: string = JSON.parse(text.slice(open, close));
    const start = text.indexOf(':', close) + 1;
    const end = valueEnd(text, start);
    if (names.has(name)) return undefined;
    names.add(name);
    members.push([name, text.slice(start, end).trim()]);
    at = end + 1;
    if (text[end] === '}') return members;
  }
}

function isJsonOf(bracket: string, text: string): boolean {
  if (!text.trimStart().startsWith(bracket)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The offset of the comma or bracket that ends the value starting at `start`. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; ; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = stringEnd(text, at) - 1;
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        if (depth === 0) return at;
        depth -= 1;
        break;
      case 0x2c: // ,
        if (depth === 0) return at;
    }
  }
}

/** The offset behind the string that opens at `open`. */
function stringEnd(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close + 1;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}

/** What JSON leaves as it is and a terminal or an editor may obey: C1, marks of direction. */
const UNSEEN = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** `text` as a JSON string in which nothing is invisible. */
export function quoteJson(text: string): string {
  return escapeUnseen(JSON.stringify(text));
}

/** The same JSON with every character a terminal might obey written as an escape. */
export function escapeUnseen(json: string): string {
  return json.replace(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * The text of a config file, in git's syntax: read, and edited line by line so that
 * comments, order and spelling of everything else stay.
 *
 *   [user]                        section; its name is letters, digits and `-`, any case
 *     name = Ada Lovelace         key `user.name`; the value is trimmed
 *     email = "ada@example.org"   quotes keep spaces, `#` and `;`; escapes \" \\ \n \t
 *   [remote "origin"]             subsection, its case matters: `remote.origin.url`
 *     url = https://host/x \      a backslash at the end goes on in the next line
 *     mirror                      without `=`: true
 *     # comment                   also behind a value; `;` likewise
 *
 * Section and key names are compared in lower case; the last entry of a key counts.
 */
import { DvError } from '../errors.ts';

/** One entry; `first` and `last` are its lines, 0-based and inclusive. */
export interface TextEntry {
  readonly key: string;
  readonly value: string;
  readonly first: number;
  readonly last: number;
}

/** A section header and the lines that belong to it, up to the next header. */
interface Section {
  readonly prefix: string;
  readonly header: number;
  /** Line of its last entry, or of its header. */
  end: number;
}

interface ParsedText {
  readonly lines: readonly string[];
  readonly entries: readonly TextEntry[];
  readonly sections: readonly Section[];
}

const HEADER = /^\[\s*([a-z0-9-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]\s*(?:[#;].*)?$/i;
const NAME = /^([a-z][a-z0-9-]*)\s*(=?)/i;
const KEY = /^([a-z0-9-]+)\.(?:([^\n\0]+)\.)?([a-z][a-z0-9-]*)$/i;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  b: '\b',
  '"': '"',
  '\\': '\\',
};

/**
 * `section.name` or `section.sub.name` with the parts that ignore case in lower case.
 * @throws DvError `bad-name`
 */
export function canonicalKey(key: string): string {
  const { section, sub, name } = splitKey(key);
  return sectionPrefix(section, sub) + name.toLowerCase();
}

function splitKey(key: string): { section: string; sub: string | undefined; name: string } {
  const match = KEY.exec(key);
  if (match === null) {
    throw new DvError('bad-name', `'${key}' is not a name of a setting`, {
      hint: 'a section, a dot and a name, such as user.name',
    });
  }
  return { section: match[1], sub: match[2], name: match[3] };
}

function sectionPrefix(section: string, sub: string | undefined): string {
  return `${section.toLowerCase()}.${sub === undefined ? '' : `${sub}.`}`;
}

/** Entries in file order. @throws DvError `bad-config` with file and line */
export function parseConfigText(text: string, file: string): readonly TextEntry[] {
  return parse(text, file).entries;
}

function parse(text: string, file: string): ParsedText {
  const lines = splitLines(text);
  const entries: TextEntry[] = [];
  const sections: Section[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at].trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    if (line.startsWith('[')) {
      sections.push({ prefix: parseHeader(line, file, at), header: at, end: at });
      continue;
    }
    const section = sections.at(-1);
    const match = NAME.exec(line);
    if (section === undefined) throw badLine(file, at, line, 'stands before any [section]');
    if (match === null) throw badLine(file, at, line, 'is not a setting');
    const first = at;
    let value = 'true';
    const rest = line.slice(match[0].length).trim();
    if (match[2] === '=') {
      const start = lines[at].indexOf('=') + 1;
      ({ value, last: at } = parseValue(lines, at, start, file));
    } else if (rest !== '' && !/^[#;]/.test(rest)) {
      throw badLine(file, at, line, 'is not a setting');
    }
    section.end = at;
    entries.push({ key: section.prefix + match[1].toLowerCase(), value, first, last: at });
  }
  return { lines, entries, sections };
}

/** Lines without their ends; a byte order mark is none of the first one's. */
function splitLines(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
}

function parseHeader(line: string, file: string, at: number): string {
  const match = HEADER.exec(line);
  if (match === null) throw badLine(file, at, line, 'is not a [section] or [section "name"]');
  return sectionPrefix(match[1], match[2]?.replace(/\\(.)/g, '$1'));
}

function badLine(file: string, at: number, line: string, what: string): DvError {
  return new DvError('bad-config', `'${line.slice(0, 80)}' ${what}, in line ${at + 1} of ${file}`, {
    hint: 'correct the line by hand',
    data: { file, line: at + 1 },
  });
}

/** The value that starts at column `start`, and the line it ends on. */
function parseValue(
  lines: readonly string[],
  first: number,
  start: number,
  file: string,
): { value: string; last: number } {
  let value = '';
  let kept = 0; // up to here trailing spaces were quoted or are followed by text
  let quoted = false;
  let at = first;
  let line = lines[at];
  for (let i = start; ; i++) {
    if (i >= line.length) break;
    const c = line[i];
    if (c === '\\' && i === line.length - 1 && at + 1 < lines.length) {
      line = lines[++at];
      i = -1;
    } else if (c === '\\') {
      const escaped = ESCAPES[line[++i] ?? ''];
      if (escaped === undefined) throw badLine(file, at, line.trim(), 'has a bad escape');
      value += escaped;
      kept = value.length;
    } else if (c === '"') {
      quoted = !quoted;
      kept = value.length;
    } else if (!quoted && (c === '#' || c === ';')) {
      break;
    } else if (!quoted && (c === ' ' || c === '\t')) {
      if (value.length > 0) value += c;
    } else {
      value += c;
      kept = value.length;
    }
  }
  if (quoted) throw badLine(file, at, line.trim(), 'has a quote that does not end');
  return { value: value.slice(0, kept), last: at };
}

/** `text` with `key` set to `value`: in place, else in its section, else in a new one. */
export function setInText(text: string, key: string, value: string, file: string): string {
  const wanted = canonicalKey(key);
  const { name } = splitKey(key);
  const { entries } = parse(text, file);
  const lines = text.split('\n');
  const end = lines[0].endsWith('\r') ? '\r' : '';
  const assign = (spelling: string) => `${spelling} = ${quoteValue(value)}${end}`;
  const present = entries.filter((entry) => entry.key === wanted);
  const current = present.at(-1);
  if (current !== undefined) {
    const spelling = /^[\s\ufeff]*[^\s=]+/.exec(lines[current.first])?.[0] ?? `\t${name}`;
    lines.splice(current.first, current.last - current.first + 1, assign(spelling));
    for (const { first, last } of present.slice(0, -1).reverse()) {
      lines.splice(first, last - first + 1);
    }
    return lines.join('\n');
  }
  return addInText(text, key, value, file);
}

/** `text` with one more entry of `key`: in its section, else in a new one. */
export function addInText(text: string, key: string, value: string, file: string): string {
  const { section, sub, name } = splitKey(key);
  const { sections } = parse(text, file);
  const lines = text.split('\n');
  const end = lines[0].endsWith('\r') ? '\r' : '';
  const line = `\t${name} = ${quoteValue(value)}${end}`;
  const home = sections.findLast(({ prefix }) => prefix === sectionPrefix(section, sub));
  if (home !== undefined) {
    if (home.end === lines.length - 1) lines[home.end] += end; // the file had no final newline
    lines.splice(home.end + 1, 0, line);
    if (home.end + 2 === lines.length) lines.push('');
    return lines.join('\n');
  }
  const before = text === '' || text.endsWith('\n') ? text : `${text}${end}\n`;
  return `${before}${headerOf(section, sub)}${end}\n${line}\n`;
}

function headerOf(section: string, sub: string | undefined): string {
  return sub === undefined ? `[${section}]` : `[${section} "${sub.replace(/["\\]/g, '\\$&')}"]`;
}

function quoteValue(value: string): string {
  const escaped = value
    .replace(/["\\]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\b', '\\b');
  return /^[\s]|[\s]$|[#;\r\f\v]/.test(value) ? `"${escaped}"` : escaped;
}

/** `text` without `key`, and without its section when nothing else is in it. */
export function unsetInText(text: string, key: string, file: string): string {
  const wanted = canonicalKey(key);
  const { entries, sections } = parse(text, file);
  const lines = text.split('\n');
  const drop = new Set<number>();
  for (const { key: found, first, last } of entries) {
    if (found !== wanted) continue;
    for (let at = first; at <= last; at++) drop.add(at);
  }
  for (const [i, { header }] of sections.entries()) {
    const end = sections[i + 1]?.header ?? lines.length;
    const touched = [...drop].some((at) => at > header && at < end);
    const rest = lines.slice(header + 1, end).filter((_, n) => !drop.has(header + 1 + n));
    if (touched && rest.every((line) => line.trim() === '')) drop.add(header);
  }
  return lines.filter((_, at) => !drop.has(at)).join('\n');
}

/** `text` without everything below `section.sub`. */
export function removeSectionInText(text: string, section: string, sub: string, file: string) {
  const { sections } = parse(text, file);
  const lines = text.split('\n');
  for (const [i, { prefix, header }] of [...sections.entries()].reverse()) {
    if (prefix !== sectionPrefix(section, sub)) continue;
    const end = sections[i + 1]?.header ?? lines.length;
    const rest = lines.splice(header, end - header);
    // Comments and empty lines behind the last entry belong to what comes next.
    const kept = rest.slice(sections[i].end - header + 1);
    lines.splice(header, 0, ...kept);
  }
  return lines.join('\n');
}

/** `text` with `section.from` under the name `section.to`. */
export function renameSectionInText(
  text: string,
  section: string,
  [from, to]: readonly [string, string],
  file: string,
): string {
  const { sections } = parse(text, file);
  const lines = text.split('\n');
  for (const { prefix, header } of sections) {
    if (prefix !== sectionPrefix(section, from)) continue;
    const end = lines[header].endsWith('\r') ? '\r' : '';
    lines[header] = headerOf(section, to) + end;
  }
  return lines.join('\n');
}

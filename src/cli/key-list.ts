/**
 * A list of keys as people keep it in a file: one key a line, its cells as in CSV where it
 * has several. Lines may end in CR LF; empty ones do not count.
 */
import { DvError } from '../errors.ts';
import type { Context } from './context.ts';
import { readText } from './read-text.ts';

const RECORD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|[\r\n]|$)/gy;

/**
 * The keys in a file, or for `-` in standard input.
 * @throws DvError `file-missing`, `file-unreadable`, `bad-quote`
 */
export async function readKeyList(context: Context, path: string): Promise<string[][]> {
  const text = await readText(context, path);
  return parseKeyList(text, path === '-' ? 'standard input' : path);
}

/** @throws DvError `bad-quote` with the line */
export function parseKeyList(text: string, file: string): string[][] {
  const keys: string[][] = [];
  let key: string[] = [];
  RECORD.lastIndex = 0;
  while (RECORD.lastIndex < text.length) {
    const at = RECORD.lastIndex;
    const match = RECORD.exec(text);
    if (match === null) throw badQuote(text, at, file);
    const [, quoted, bare, end] = match;
    key.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end === ',' && RECORD.lastIndex < text.length) continue;
    if (end === ',') key.push('');
    if (key.length > 1 || bare !== '') keys.push(key);
    key = [];
  }
  return keys;
}

function badQuote(text: string, at: number, file: string): DvError {
  const line = text.slice(0, at).split('\n').length;
  return new DvError(
    'bad-quote',
    `line ${line} of '${file}' has a quote that does not begin or end a cell`,
    {
      data: { file, line },
    },
  );
}

/**
 * The parts of a patch that both of its forms share: a schema, and messages about either.
 */
import { DvError } from '../errors.ts';
import { changeRules, parseRules, withRules } from '../tuple/merge-rules.ts';
import {
  COLUMN_TYPES,
  type Column,
  type ColumnType,
  type MergeRules,
  type Schema,
} from '../tuple/schema.ts';
import { quoteJson, splitMembers } from './patch-json.ts';
import type { PatchLines } from './patch-lines.ts';

/** A schema as `formatSchema` writes it. */
export function parseSchema(lines: PatchLines, json: string): Schema | null {
  if (json === 'null') return null;
  const members = new Map(splitMembers(json));
  const columns = splitMembers(members.get('columns') ?? '')?.map(
    ([name, type]): Column => ({ name, type: parseType(lines, type) }),
  );
  const names = members.has('key') ? parseJson(lines, members.get('key') ?? '') : undefined;
  if (!columns || !Array.isArray(names)) throw lines.bad('holds no schema');
  const key = names.map((name) => columns.findIndex((column) => column.name === name));
  if (key.includes(-1)) throw lines.bad('has a key that is not among its columns');
  return withRules({ columns, key }, readRules(lines, members.get('rules')));
}

function readRules(lines: PatchLines, json: string | undefined): MergeRules | undefined {
  if (json === undefined) return undefined;
  const words = parseJson(lines, json);
  if (!Array.isArray(words)) throw lines.bad('holds no list of merge rules');
  try {
    return changeRules(undefined, parseRules(words.map(String)));
  } catch (error) {
    if (!(error instanceof DvError)) throw error;
    throw lines.bad(`has merge rules that dv does not know: ${quoteStart(json)}`);
  }
}

function parseType(lines: PatchLines, json: string): ColumnType {
  const type = COLUMN_TYPES.find((known) => json === `"${known}"`);
  if (type === undefined) throw lines.bad(`names a type that dv does not know: ${json}`);
  return type;
}

/** @throws DvError `bad-patch` when `json` is not JSON. */
export function parseJson(lines: PatchLines, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw lines.bad(`holds no JSON: ${quoteStart(json)}`);
  }
}

/** The beginning of something that may be long or hostile, for a message. */
export function quoteStart(text: string): string {
  return quoteJson(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

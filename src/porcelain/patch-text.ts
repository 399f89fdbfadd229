/**
 * Reads the text of a patch (described in `patch-format.ts`), a table at a time. Nothing in
 * it is believed: every line is checked, and the counts at the end must agree.
 */
import { DvError } from '../errors.ts';
import type { Schema } from '../tuple/schema.ts';
import type { PatchTable } from './patch-contract.ts';
import { PATCH_VERSION } from './patch-format.ts';
import type { PatchLines } from './patch-lines.ts';
import { PatchRows } from './patch-rows.ts';
import { parseJson, parseSchema, quoteStart } from './patch-schema.ts';

const HEADER = /^dv patch (\d+)$/;

/** Reads the tables of a patch; `lines` is at its first line. */
export async function* parsePatchText(lines: PatchLines): AsyncGenerator<PatchTable> {
  do {
    parseHeader(lines);
    let count = 0;
    for (;;) {
      if (!(await lines.fill())) throw lines.cutShort();
      if (!lines.peek().startsWith('table ')) break;
      count += 1;
      const table = await openTable(lines);
      yield table.description;
      while (await table.nextBatch()) {
        // rows that nobody asked for are checked all the same
      }
    }
    const done = /^done (\d+) tables?$/.exec(lines.peek());
    if (!done) throw lines.bad(`starts no table: ${quoteStart(lines.peek())}`);
    if (Number(done[1]) !== count) throw lines.bad(`speaks of ${done[1]} tables, not ${count}`);
    lines.skip();
  } while (await lines.fill());
}

function parseHeader(lines: PatchLines): void {
  const header = HEADER.exec(lines.peek());
  if (!header) {
    throw lines.bad(
      `is not the head of a patch: ${quoteStart(lines.peek())}`,
      'a patch begins with "dv patch 1", an NDJSON diff with "{"',
    );
  }
  if (Number(header[1]) > PATCH_VERSION) {
    const message = `the patch has version ${header[1]}, and this dv reads up to ${PATCH_VERSION}`;
    throw new DvError('newer-format', message, { data: { version: Number(header[1]) } });
  }
  lines.skip();
}

async function openTable(lines: PatchLines): Promise<PatchRows> {
  const { line } = lines;
  const table = parseJson(lines, lines.peek().slice('table '.length));
  if (typeof table !== 'string') throw lines.bad('does not name a table');
  lines.skip();
  const both = await parseSchemaLine(lines, 'schema');
  const fromSchema = both ?? (await parseSchemaLine(lines, 'from'));
  const toSchema = both ?? (await parseSchemaLine(lines, 'to'));
  if ((fromSchema === undefined) !== (toSchema === undefined)) {
    throw lines.bad(`comes where "${fromSchema === undefined ? 'from' : 'to'}" must be`);
  }
  return new PatchRows(lines, { table, line, fromSchema, toSchema });
}

/** undefined: the line says something else. */
async function parseSchemaLine(
  lines: PatchLines,
  word: 'schema' | 'from' | 'to',
): Promise<Schema | null | undefined> {
  if (!(await lines.fill())) throw lines.cutShort();
  if (!lines.peek().startsWith(`${word} `)) return undefined;
  const schema = parseSchema(lines, lines.peek().slice(word.length + 1));
  if (schema === null && word === 'schema') throw lines.bad('holds no schema');
  lines.skip();
  return schema;
}

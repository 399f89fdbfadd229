/**
 * Differences of tables as lines of JSON, for a follower that wants the rows of a commit: the
 * exact text of every cell goes over, types are in the schemas.
 *
 *   {"table":...,"from":schema,"to":schema,"schema":[...]}   a table begins; null: not there
 *   ["+",[cells]]   ["-",[cells]]   ["~",[cells],[cells]]    a row of it: from, to
 *   {"end":true}                                             everything was sent
 */
import { DvError } from '../errors.ts';
import type { RowChange, TableDiff } from '../model/change.ts';
import type { Row } from '../tuple/schema.ts';

export async function* encodeChangeLines(
  diffs: AsyncIterable<TableDiff>,
): AsyncGenerator<Uint8Array> {
  for await (const { table, from, to, schema, changes } of diffs) {
    yield Buffer.from(`${JSON.stringify({ table, from, to, schema })}\n`);
    for await (const batch of changes()) {
      yield Buffer.from(batch.map((change) => `${JSON.stringify(lineOf(change))}\n`).join(''));
    }
  }
  yield Buffer.from('{"end":true}\n');
}

function lineOf(change: RowChange): readonly unknown[] {
  if (change.change === 'added') return ['+', change.to];
  return change.change === 'removed' ? ['-', change.from] : ['~', change.from, change.to];
}

const BATCH = 500;

/** Each table's changes may be iterated until the next table is asked for. */
export async function* decodeChangeLines(lines: AsyncIterable<unknown>): AsyncGenerator<TableDiff> {
  const iterator = lines[Symbol.asyncIterator]();
  try {
    let head = await nextOf(iterator);
    while (!isEnd(head)) {
      const { table, from, to, schema } = head as Omit<TableDiff, 'changes'>;
      let next: unknown;
      const rows = readRows(iterator, (line) => {
        next = line;
      });
      yield { table, from, to, schema, changes: () => rows };
      for await (const _ of rows); // what was not looked at
      head = next;
    }
  } finally {
    await iterator.return?.();
  }
}

async function* readRows(
  iterator: AsyncIterator<unknown>,
  ended: (line: unknown) => void,
): AsyncGenerator<RowChange[]> {
  let batch: RowChange[] = [];
  for (;;) {
    const line = await nextOf(iterator);
    if (!Array.isArray(line)) {
      ended(line);
      break;
    }
    batch.push(changeOf(line));
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function changeOf([kind, a, b]: readonly unknown[]): RowChange {
  if (kind === '+') return { change: 'added', from: null, to: a as Row };
  if (kind === '-') return { change: 'removed', from: a as Row, to: null };
  return { change: 'modified', from: a as Row, to: b as Row };
}

async function nextOf(iterator: AsyncIterator<unknown>): Promise<unknown> {
  const { done, value } = await iterator.next();
  if (done !== true) return value;
  throw new DvError('connection-lost', 'the differences end in the middle', {
    hint: 'run the command again: it goes on where it was cut',
  });
}

const isEnd = (line: unknown): boolean => (line as { end?: unknown }).end === true;

/** Lines of JSON out of bytes. @throws DvError `protocol-mismatch` for what is none */
export async function* parseLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield parseLine(line);
  }
  if (rest !== '') throw new DvError('connection-lost', 'the answer ends in the middle of a line');
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    const shown = line.slice(0, 60);
    throw new DvError('protocol-mismatch', `'${shown}' is no line of JSON`, { cause });
  }
}

/** A table or a plain file of a commit on standard output: `dv show REV:TABLE`. */
import type { Dialect } from '../formats/contract.ts';
import type { RootEntry } from '../model/root.ts';
import { countTableRows } from '../model/table-stat.ts';
import type { Repository } from '../porcelain/repository.ts';
import { entryBytes } from '../porcelain/table-file.ts';
import type { Context } from './context.ts';
import { formatCount } from './render/count.ts';

/** Of a table the first `limit` rows. @throws OutputClosed when nobody reads any more */
export async function writeEntry(
  context: Context,
  repo: Repository,
  name: string,
  entry: RootEntry,
  limit?: number,
): Promise<void> {
  if (context.json && entry.kind === 'file') {
    context.out.json({ file: name, hash: entry.blob, bytes: entry.size });
    return;
  }
  const dialect = dialectFor(context, entry);
  const pieces = entryBytes(repo.nodes, entry, dialect, limit);
  if (context.isTTY && !context.json) await writeShown(context, pieces, encodingOf(entry));
  else await writeBytes(context, pieces);
  if (limit === undefined || entry.kind === 'file') return;
  if ((await countTableRows(repo.nodes, entry.table)) <= limit) return;
  context.note(`only the first ${formatCount(limit, 'rows')}; --limit or --full shows more`);
}

/** JSON for programs; on a terminal no bytes that are not text; else as the file was. */
function dialectFor({ json, isTTY }: Context, entry: RootEntry): Dialect | undefined {
  if (entry.kind === 'file') return undefined;
  if (json) return { format: 'ndjson' };
  return isTTY && entry.dialect?.format === 'parquet' ? { format: 'csv' } : undefined;
}

function encodingOf(entry: RootEntry): string {
  return entry.kind === 'table' && entry.dialect?.encoding === 'latin1' ? 'latin1' : 'utf-8';
}

async function writeBytes({ out }: Context, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of pieces) {
    out.bytes(bytes);
    await out.flush();
  }
}

/** On a terminal: nothing in the table acts on it. */
async function writeShown(
  { out, shown }: Context,
  pieces: AsyncIterable<Uint8Array>,
  encoding: string,
): Promise<void> {
  const decoder = new TextDecoder(encoding);
  for await (const bytes of pieces) {
    // A CR LF split between two pieces shows its CR; what a terminal obeys never gets through.
    out.write(shown(decoder.decode(bytes, { stream: true }).replaceAll('\r\n', '\n')));
    await out.flush();
  }
  out.write(shown(decoder.decode()));
}

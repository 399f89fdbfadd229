/**
 * Long results on their way out: to standard output as fast as its reader takes them, or
 * into a file, all or nothing, compressed if its name says so.
 */
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { compress } from '../formats/compressed.ts';
import { formatOf } from '../formats/detect.ts';
import { writeOutput } from '../porcelain/write-file.ts';
import type { Context } from './context.ts';

const FLUSH_CHARACTERS = 64 * 1024;

/** @throws OutputClosed when nobody reads any more */
export async function writeTexts(
  { out, isTTY }: Context,
  texts: AsyncIterable<string>,
): Promise<void> {
  let waiting = 0;
  for await (const text of texts) {
    out.write(text);
    waiting += text.length;
    // A person sees every part when it is ready; a pipe gets blocks.
    if (!isTTY && waiting < FLUSH_CHARACTERS) continue;
    await out.flush();
    waiting = 0;
  }
}

/** @throws DvError `disk-full`, `read-only`, `file-is-directory` */
export async function writeFileOf(
  context: Context,
  file: string,
  texts: AsyncIterable<string>,
): Promise<void> {
  const { cwd, environment } = context;
  const path = resolve(cwd, file);
  const { compression } = formatOf(file);
  const bytes = encode(texts);
  const pieces = compression === undefined ? bytes : compress(bytes, compression);
  await writeOutput(path, pieces, environment.randomId(), removedAtEnd(context));
}

/** So that nothing is left behind when dv is interrupted. */
export function removedAtEnd({ atEnd }: Context): (path: string) => void {
  return (path) => atEnd(() => rmSync(path, { recursive: true, force: true }));
}

async function* encode(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let pending = '';
  for await (const text of texts) {
    pending += text;
    if (pending.length < FLUSH_CHARACTERS) continue;
    yield Buffer.from(pending);
    pending = '';
  }
  if (pending !== '') yield Buffer.from(pending);
}

/**
 * Data to standard output as it is; on a terminal as text that the terminal cannot obey.
 * @throws OutputClosed when nobody reads any more
 */
export async function writeBytes(
  { out, isTTY, shown }: Context,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const piece of pieces) {
    if (isTTY) out.write(shown(decoder.decode(piece, { stream: true }).replaceAll('\r\n', '\n')));
    else out.bytes(piece);
    await out.flush();
  }
  if (isTTY) out.write(shown(decoder.decode()));
}

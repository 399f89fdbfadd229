/** A small text that a command is given by file: a commit message, a list of keys. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DvError } from '../errors.ts';
import type { Context } from './context.ts';

/** `-` is standard input. @throws DvError `file-missing`, `file-unreadable`, `invalid-utf8` */
export async function readText(context: Context, path: string): Promise<string> {
  const name = path === '-' ? 'standard input' : path;
  const bytes = path === '-' ? await readStdin(context) : readFile(context, path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DvError('invalid-utf8', `'${name}' is not valid UTF-8`, {
      data: { file: name },
      cause,
    });
  }
}

function readFile(context: Context, path: string): Uint8Array {
  try {
    return readFileSync(resolve(context.cwd, path));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const data = { file: path };
    if (code === 'ENOENT')
      throw new DvError('file-missing', `there is no file '${path}'`, { data });
    throw new DvError('file-unreadable', `cannot read '${path}': ${message}`, { data, cause });
  }
}

async function readStdin({ environment }: Context): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of environment.stdin?.() ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

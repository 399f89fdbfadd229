/** The beginning of a bundle's file: what it leads to. The format is sync/pack.ts's. */
import { createReadStream } from 'node:fs';
import { DvError } from '../errors.ts';
import type { PackHeader, PackRef } from '../sync/pack.ts';
import { PackReader } from '../sync/pack-reader.ts';

export type BundleHeader = PackHeader & { readonly refs: readonly PackRef[] };

/** The head of a bundle. @throws DvError `not-dv`, `bad-pack` */
export async function readBundleHeader(path: string): Promise<BundleHeader> {
  const stream = createReadStream(path, { highWaterMark: 64 * 1024 });
  const reader = new PackReader();
  try {
    for await (const bytes of stream) {
      for (const frame of reader.push(bytes as Uint8Array)) {
        if (frame.type === 'header' && frame.header.refs !== undefined) {
          return { ...frame.header, refs: frame.header.refs };
        }
        throw notABundle(path);
      }
    }
  } catch (error) {
    throw (error as DvError).code === 'bad-pack' ? notABundle(path, error) : error;
  } finally {
    stream.destroy();
  }
  throw notABundle(path);
}

function notABundle(path: string, cause?: unknown): DvError {
  return new DvError('not-dv', `'${path}' is not a bundle`, {
    hint: 'dv bundle create makes one',
    data: { file: path },
    cause,
  });
}

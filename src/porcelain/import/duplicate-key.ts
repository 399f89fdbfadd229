/**
 * Which lines have the same key: asked only after an import has seen that some do, so that
 * the import itself need not carry line numbers. One more pass over the file.
 */
import { ByteWriter } from '../../bytes.ts';
import { bug } from '../../errors.ts';
import type { TableReader } from '../../formats/contract.ts';
import { decodeKey } from '../../tuple/key-codec.ts';
import { RowEncoder } from '../../tuple/row-encoder.ts';
import type { Schema } from '../../tuple/schema.ts';
import { Sorter } from './sorter.ts';

export interface Duplicate {
  /** The key's cells, as a person reads them. */
  readonly key: string;
  /** 1-based lines of its first two rows. */
  readonly lines: readonly [number, number];
}

/** The duplicate whose second row comes first in the file. */
export async function findDuplicate(
  reader: TableReader,
  schema: Schema,
  scratch: () => string,
): Promise<Duplicate> {
  const keyOnly: Schema = schema;
  const sorter = new Sorter(scratch);
  try {
    const out = new ByteWriter(1024);
    for await (const batch of reader.batches()) {
      const isThere = (i: number) => keyOnly.key.includes(i) && i < batch.columns;
      const sources = keyOnly.columns.map((_, i) => (isThere(i) ? i : -1));
      const encoder = new RowEncoder(keyOnly, sources, () => {
        throw bug('a key out of line');
      });
      for (let row = 0; row < batch.rows; row++) {
        out.clear();
        if (!encoder.encode(batch, row, out)) continue;
        const { keyLength } = encoder;
        out.length = keyLength;
        out.reserve(8);
        out.bytes.writeDoubleBE(batch.lines[row], keyLength);
        sorter.add(out.bytes, 0, keyLength, keyLength + 8);
      }
    }
    return earliest(sorter, schema);
  } finally {
    sorter.close();
  }
}

function earliest(sorter: Sorter, schema: Schema): Duplicate {
  let best: { key: Buffer; lines: [number, number] } | undefined;
  let last: { key: Buffer; line: number } | undefined;
  for (const batch of sorter.sorted()) {
    for (const { key, value } of batch) {
      const line = value.readDoubleBE(0);
      const same = last?.key.equals(key) ? last : undefined;
      if (same !== undefined && (best === undefined || line < best.lines[1])) {
        best = { key, lines: [same.line, line] };
      }
      last = { key, line };
    }
  }
  if (best === undefined) throw bug('rows went missing in an import');
  const types = schema.key.map((i) => schema.columns[i].type);
  return {
    key: decodeKey(best.key, types)
      .map((cell) => JSON.stringify(cell))
      .join(', '),
    lines: best.lines,
  };
}

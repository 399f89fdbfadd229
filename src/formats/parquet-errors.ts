/** What can be wrong with a Parquet file, as errors that say where. */
import { DvError } from '../errors.ts';

export interface ParquetPlace {
  readonly file: string;
  /** Name of the column, where it is one column's fault. */
  readonly column?: string;
}

export function badParquet(place: ParquetPlace, why: string, hint?: string): DvError {
  const where = place.column === undefined ? '' : `, column "${place.column}"`;
  return new DvError('bad-parquet', `"${place.file}"${where}: ${why}`, {
    ...(hint === undefined ? {} : { hint }),
    data: { ...place },
  });
}

/**
 * Runs a step of decoding. Decoders of damaged bytes fail in many ways (a RangeError, a
 * TypeError, an Error of the library): all become `bad-parquet` with that reason.
 */
export function decoding<T>(place: ParquetPlace, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof DvError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const unsupported = /unsupported|not supported|unhandled/.test(reason);
    throw new DvError(
      'bad-parquet',
      `"${place.file}"${place.column === undefined ? '' : `, column "${place.column}"`}: ${
        unsupported ? reason : `damaged (${reason})`
      }`,
      {
        ...(unsupported ? { hint: 'write it again with the codec snappy, gzip or zstd' } : {}),
        data: { ...place },
        cause: error,
      },
    );
  }
}

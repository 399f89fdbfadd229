/** What an import finds wrong with the rows of a file, as errors that name the place. */
import { DvError } from '../../errors.ts';
import { MAX_CHUNK_BYTES } from '../../store/contract.ts';
import { misfitReason } from '../../tuple/cell-type.ts';
import type { Misfit } from '../../tuple/infer.ts';
import type { Schema } from '../../tuple/schema.ts';
import type { Duplicate } from './duplicate-key.ts';

/** Characters of a cell that an error shows. */
const SHOWN = 80;

export function duplicateKey(file: string, schema: Schema, { key, lines }: Duplicate): DvError {
  const names = schema.key.map((i) => schema.columns[i].name).join(', ');
  const where = `lines ${lines[0]} and ${lines[1]} of '${file}'`;
  return new DvError('duplicate-key', `${where} have the same key (${names}): ${key}`, {
    hint: "--key names a unique column, or several: --key a,b; --key '' keeps rows without a key",
    data: { file, lines, key },
  });
}

/** A cell that is not of the type that the user gave its column. */
export function typeMismatch(file: string, name: string, misfit: Misfit): DvError {
  const { column, type, line, value } = misfit;
  const shown = JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
  const message = `${shown} in column "${name}" ${misfitReason(type, value)} (line ${line} of '${file}')`;
  return new DvError('type-mismatch', message, {
    hint: `leave out --type ${name}=${type}, or give a wider type`,
    data: { file, line, column: column + 1, name, value },
  });
}

/** A schema is one object, whose size is bounded. */
export function namesTooLong(file: string, schema: Schema, bytes: number): DvError {
  const columns = schema.columns.length;
  const what = `the names of the ${columns} columns of '${file}'`;
  return new DvError(
    'too-many-columns',
    `${what} take ${bytes} bytes, more than ${MAX_CHUNK_BYTES}`,
    {
      hint: 'shorten the names, or split the table',
      data: { file, columns, bytes, limit: MAX_CHUNK_BYTES },
    },
  );
}

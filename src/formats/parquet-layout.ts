/** What is remembered of a Parquet file, so that it is written with the same types again. */
import type { FileMetaData } from 'hyparquet';
import type { ParquetColumn, ParquetLayout } from './contract.ts';
import { rememberNested } from './parquet-nested-values.ts';
import type { Field } from './parquet-schema.ts';

export function layoutOf(metadata: FileMetaData, fields: readonly Field[]): ParquetLayout {
  const codec = metadata.row_groups[0]?.columns[0]?.meta_data?.codec;
  return {
    ...(codec === undefined ? {} : { codec }),
    columns: fields.flatMap(rememberColumn),
  };
}

function rememberColumn(field: Field): ParquetColumn[] {
  const { name } = field;
  if (field.repetition === 'REPEATED') return [];
  if (field.shape === 'leaf') return [{ name, ...field.leaves[0].kind }];
  const schema = rememberNested(field);
  return schema === undefined ? [] : [{ name, kind: 'nested', schema }];
}

/** The diffs in `fixtures/diff/*.json`: small ones, one for each thing that is hard to show. */
import { readdirSync, readFileSync } from 'node:fs';
import type { TableDiff } from '../../src/model/change.ts';
import type { ColumnType, Row, Schema } from '../../src/tuple/schema.ts';
import { tableDiff } from './table-diffs.ts';

const FOLDER = new URL('../../fixtures/diff/', import.meta.url);

interface JsonSchema {
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly key: readonly string[];
}

interface JsonTable {
  readonly table: string;
  readonly from: JsonSchema | null;
  readonly to: JsonSchema | null;
  readonly rows: readonly (readonly [Row | null, Row | null])[];
}

export const fixtureNames: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))
  .sort();

export function readFixture(name: string): TableDiff[] {
  const text = readFileSync(new URL(`${name}.json`, FOLDER), 'utf8');
  const { tables } = JSON.parse(text) as { tables: readonly JsonTable[] };
  return tables.map(({ table, from, to, rows }) =>
    tableDiff(table, schemaOf(from), schemaOf(to), rows),
  );
}

/** Where the expected rendering of a fixture is kept. */
export function goldenPath(file: string): string {
  return new URL(file, FOLDER).pathname;
}

function schemaOf(json: JsonSchema | null): Schema | null {
  if (json === null) return null;
  const columns = Object.entries(json.columns).map(([name, type]) => ({ name, type }));
  const key = json.key.map((name) => columns.findIndex((column) => column.name === name));
  return { columns, key };
}

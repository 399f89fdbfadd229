/**
 * A difference as it was asked for: its rows in one of six formats, or counts, schema
 * changes or names alone. Also tells, once read to the end, whether anything differed.
 *
 * What is no table, and a table of which only the writing changed, has a line in text:
 *
 *   README.md  plain file modified, 1.2 kB → 1.3 kB
 *   cities.csv  same rows, written differently: newline
 *
 * and in NDJSON, where `dv apply` passes over it:
 *
 *   {"file":"README.md","change":"modified","from":1204,"to":1310}
 *   {"table":"cities.csv","change":"dialect","from":{...},"to":{...}}
 */
import type { RowChange, TableDiff } from '../../model/change.ts';
import type { DialectDifference, DiffResult, FileDifference } from '../../porcelain/diff.ts';
import { statTable, type TableStat } from '../../porcelain/diff-stat.ts';
import type { Progress } from '../../porcelain/environment.ts';
import { writePatch } from '../../porcelain/patch.ts';
import { escapeUnseen } from '../../porcelain/patch-json.ts';
import type { DiffView } from '../diff-options.ts';
import { formatBytes } from './count.ts';
import { narrowDiffs } from './diff/narrow.ts';
import { renderSchemaChanges } from './diff/schema-changes.ts';
import { shownTables } from './diff/shown-tables.ts';
import { renderDiffCsv } from './diff-csv.ts';
import { renderDiffHtml } from './diff-html.ts';
import { renderDiffNdjson } from './diff-ndjson.ts';
import { renderDiffSql } from './diff-sql.ts';
import { renderDiffStat, renderDiffSummary } from './diff-stat.ts';
import { renderDiffText } from './diff-text.ts';
import { NO_PAINT, type Paint } from './paint.ts';
import { sanitizeLine } from './sanitize.ts';

export interface DiffViewOptions {
  readonly view: DiffView;
  readonly json: boolean;
  readonly paint: Paint;
  /** Columns of the terminal that reads; undefined: none does. */
  readonly width: number | undefined;
  /** What is compared, for the head of a page. */
  readonly title: string;
  readonly report: (progress: Progress) => void;
}

/** Told while a difference is rendered. */
export interface Verdict {
  different: boolean;
}

export function renderDiffView(
  result: DiffResult,
  options: DiffViewOptions,
  verdict: Verdict,
): AsyncGenerator<string> {
  const { view } = options;
  const filtered = isFiltered(view);
  const files = filtered ? [] : result.files;
  const dialects = filtered ? [] : result.dialects;
  verdict.different = files.length > 0 || dialects.length > 0;
  const tables = watched(shownTables(result.tables, view), verdict);
  const narrowedResult = { tables, files, dialects };
  switch (view.level) {
    case 'rows':
      return renderRows(narrowedResult, options);
    case 'schema':
      return renderSchemaChanges(tables, options);
    case 'names':
      return renderNames(narrowedResult, options);
    case 'stat':
    case 'summary':
      return renderCounts(narrowedResult, options);
  }
}

function isFiltered({ filter, level }: DiffView): boolean {
  const { where, columns, ignoreColumns } = filter;
  return level === 'schema' || [where, columns, ignoreColumns].some((f) => f !== undefined);
}

async function* watched(
  tables: AsyncIterable<TableDiff>,
  verdict: Verdict,
): AsyncGenerator<TableDiff> {
  for await (const diff of tables) {
    verdict.different = true;
    yield diff;
  }
}

type Sides = Omit<DiffResult, 'tables'> & { readonly tables: AsyncGenerator<TableDiff> };

async function* renderRows(
  { tables, files, dialects }: Sides,
  { view, paint, width, title }: DiffViewOptions,
): AsyncGenerator<string> {
  const { limit, full, layout, format } = view;
  const options = { limit, full, width };
  const notes = [
    ...dialects.map((dialect) => dialectLine(dialect, NO_PAINT).trimEnd()),
    ...files.map((file) => fileLine(file, NO_PAINT).trimEnd()),
  ];
  switch (format) {
    case 'text':
      yield* renderDiffText(tables, { ...options, layout, paint });
      for (const dialect of dialects) yield dialectLine(dialect, paint);
      for (const file of files) yield fileLine(file, paint);
      return;
    case 'ndjson':
      yield* renderDiffNdjson(tables, { ...options, complete: view.filter.complete });
      yield* otherLines(files, dialects, width);
      return;
    case 'csv':
      return yield* renderDiffCsv(tables, options);
    case 'html':
      return yield* renderDiffHtml(tables, { ...options, title, notes });
    case 'sql':
      for (const note of notes) yield `-- ${note}\n`;
      return yield* renderDiffSql(tables, options);
    case 'patch':
      for (const note of notes) yield `# not in this patch: ${note}\n`;
      return yield* writePatch(narrowDiffs(tables, { limit }));
  }
}

async function* renderNames(
  { tables, files, dialects }: Sides,
  { json, width }: DiffViewOptions,
): AsyncGenerator<string> {
  const names = [
    ...files.map(({ file }) => ({ file })),
    ...dialects.map(({ table }) => ({ table })),
  ] as { file?: string; table?: string }[];
  for await (const { table } of tables) names.push({ table });
  const nameOf = ({ file, table }: (typeof names)[number]) => file ?? table ?? '';
  names.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const shown = (text: string) => (width === undefined ? text : sanitizeLine(text));
  yield names.map((name) => `${json ? JSON.stringify(name) : shown(nameOf(name))}\n`).join('');
}

/** Figures of no table: `{"tables": [...]}` has them only where there are some. */
async function* renderCounts(
  { tables, files, dialects }: Sides,
  { view, json, paint, width, report }: DiffViewOptions,
): AsyncGenerator<string> {
  const stats: TableStat[] = [];
  for await (const diff of tables) stats.push(await statTable(reported(diff, report)));
  if (json) {
    const all = view.level === 'stat' ? { tables: stats } : { summary: totalOf(stats) };
    yield `${JSON.stringify({ ...all, ...(files.length > 0 ? { files } : {}) })}\n`;
    return;
  }
  if (view.level === 'stat') yield renderDiffStat(stats, { paint, width });
  else yield renderDiffSummary(stats, { paint });
  for (const dialect of dialects) yield ` ${dialectLine(dialect, paint)}`;
  for (const file of files) yield ` ${fileLine(file, paint)}`;
}

type Batch = readonly RowChange[];

function reported(diff: TableDiff, report: DiffViewOptions['report']): TableDiff {
  async function* changes(): AsyncGenerator<Batch> {
    let done = 0;
    for await (const batch of diff.changes()) {
      done += batch.length;
      report({ label: `comparing ${diff.table}`, done, total: undefined, unit: 'rows' });
      yield batch;
    }
  }
  return { ...diff, changes };
}

function totalOf(stats: readonly TableStat[]): Record<string, number> {
  const sum = (figure: 'added' | 'removed' | 'modified' | 'cells') =>
    stats.reduce((total, stat) => total + stat[figure], 0);
  return {
    tables: stats.length,
    added: sum('added'),
    removed: sum('removed'),
    modified: sum('modified'),
    cells: sum('cells'),
  };
}

function fileLine({ file, change, from, to }: FileDifference, paint: Paint): string {
  const sizes = [from, to].filter((size) => size !== null).map(formatBytes);
  const size = sizes[0] === sizes[1] ? sizes[0] : sizes.join(' → ');
  return `${paint.heading(sanitizeLine(file))}  plain file ${change}, ${size}\n`;
}

function dialectLine({ table, from, to }: DialectDifference, paint: Paint): string {
  const fields = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  const changed = fields.filter((f) => JSON.stringify(from[f]) !== JSON.stringify(to[f]));
  const name = paint.heading(sanitizeLine(table));
  return `${name}  same rows, written differently: ${changed.join(', ')}\n`;
}

function* otherLines(
  files: readonly FileDifference[],
  dialects: readonly DialectDifference[],
  width: number | undefined,
): Generator<string> {
  const safe = width === undefined ? (text: string) => text : escapeUnseen;
  for (const { table, from, to } of dialects) {
    yield safe(`${JSON.stringify({ table, change: 'dialect', from, to })}\n`);
  }
  for (const { file, change, from, to } of files) {
    yield safe(`${JSON.stringify({ file, change, from, to })}\n`);
  }
}

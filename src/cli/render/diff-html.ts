/**
 * A diff as one HTML page that needs nothing else: a section a table, a line a changed row,
 * in a changed cell both values with the differing words marked. Written as it is read; the
 * summary comes last in the file and stands first on the page. Text from the repository is
 * escaped, and controls and marks of direction are shown, not sent.
 */
import type { RowChange, SchemaChange } from '../../model/change.ts';
import { type ColumnPair, cellAt, pairColumns } from '../../model/diff-columns.ts';
import { DiffTally } from '../../porcelain/diff-stat.ts';
import type { Cell, ColumnType } from '../../tuple/schema.ts';
import { formatCount } from './count.ts';
import { compareTexts } from './diff/cell-sides.ts';
import { escapeHtml, pageEnd, pageHead } from './diff/html-page.ts';
import { type NarrowedDiff, narrowDiffs } from './diff/narrow.ts';
import type { DiffRenderOptions, TableDiffs } from './diff/options.ts';
import { renderCounts, schemaLine } from './diff/table-head.ts';
import { EMPTY_SIGN, NULL_SIGN } from './diff/visible-text.ts';
import type { Segment } from './diff/word-diff.ts';
import { NO_PAINT } from './paint.ts';
import { sanitize, sanitizeLine } from './sanitize.ts';

export interface DiffHtmlOptions extends DiffRenderOptions {
  /** What is compared, for the head of the page. */
  readonly title?: string;
  /** Lines below the tables. */
  readonly notes?: readonly string[];
}

const SIGNS = { added: '+', removed: '−', modified: '~' } as const;
const NUMERIC: ReadonlySet<ColumnType> = new Set(['integer', 'decimal', 'float']);

export async function* renderDiffHtml(
  diffs: TableDiffs,
  options: DiffHtmlOptions = {},
): AsyncGenerator<string> {
  const title = sanitizeLine(options.title ?? 'Differences');
  yield pageHead(title);
  const summary: string[] = [];
  for await (const diff of narrowDiffs(diffs, options)) {
    const pairs = keyFirst(pairColumns(diff.from, diff.to));
    const tally = new DiffTally(pairs);
    const anchor = `table-${summary.length + 1}`;
    yield sectionHead(diff, anchor);
    yield* sectionRows(diff, pairs, tally);
    const counts = escapeHtml(renderCounts(tally, diff, NO_PAINT).trim());
    yield `<p class="counts">${counts}</p>\n</section>\n`;
    const name = escapeHtml(sanitizeLine(diff.table));
    summary.push(`<li><a href="#${anchor}">${name}</a> <span class="dim">${counts}</span></li>`);
  }
  for (const note of options.notes ?? []) yield `<p>${escapeHtml(sanitizeLine(note))}</p>\n`;
  yield pageEnd(
    title,
    `<p>${formatCount(summary.length, 'tables')}</p>\n<ul>\n${summary.join('\n')}\n</ul>`,
  );
}

function keyFirst(pairs: readonly ColumnPair[]): ColumnPair[] {
  return [...pairs.filter(({ key }) => key), ...pairs.filter(({ key }) => !key)];
}

function sectionHead(diff: NarrowedDiff, anchor: string): string {
  const state =
    diff.from === null
      ? ' <small>new table</small>'
      : diff.to === null
        ? ' <small>table removed</small>'
        : '';
  const name = escapeHtml(sanitizeLine(diff.table));
  return `<section>\n<h2 id="${anchor}">${name}${state}</h2>\n${schemaList(diff.schema)}`;
}

function schemaList(changes: readonly SchemaChange[]): string {
  if (changes.length === 0) return '';
  const items = changes.map((change) => `<li>${escapeHtml(schemaLine(change, NO_PAINT))}</li>`);
  return `<ul>${items.join('')}</ul>\n`;
}

async function* sectionRows(
  diff: NarrowedDiff,
  pairs: readonly ColumnPair[],
  tally: DiffTally,
): AsyncGenerator<string> {
  let open = false;
  for await (const batch of diff.changes()) {
    let html = open ? '' : tableHead(pairs);
    open = true;
    for (const change of batch) {
      tally.add(change);
      html += rowHtml(pairs, change);
    }
    yield html;
  }
  if (open) yield '</tbody></table></div>\n';
}

function tableHead(pairs: readonly ColumnPair[]): string {
  const heads = pairs.map(({ name, key, from, to }) => {
    const mark = from < 0 ? '+ ' : to < 0 ? '− ' : '';
    return `<th scope="col"${key ? ' class="key"' : ''}>${mark}${escapeHtml(sanitizeLine(name))}</th>`;
  });
  return `<div class="scroll"><table><thead><tr><th></th>${heads.join('')}</tr></thead><tbody>\n`;
}

function rowHtml(pairs: readonly ColumnPair[], change: RowChange): string {
  const cells = pairs.map((pair) => cellHtml(pair, change));
  const { [change.change]: sign } = SIGNS;
  return `<tr class="${change.change}"><td>${sign}</td>${cells.join('')}</tr>\n`;
}

function cellHtml({ from, to, key, type }: ColumnPair, change: RowChange): string {
  const before = cellAt(change.from, from);
  const after = cellAt(change.to, to);
  const classes = [key ? 'key' : '', NUMERIC.has(type) ? 'number' : ''].filter((c) => c !== '');
  const attribute = classes.length > 0 ? ` class="${classes.join(' ')}"` : '';
  const differs = change.change === 'modified' && before !== after;
  const html = differs
    ? changedHtml(from < 0 ? undefined : before, to < 0 ? undefined : after, type)
    : valueHtml(change.to === null ? before : after);
  return `<td${attribute}>${html}</td>`;
}

/** undefined: the column is not on that side. */
function changedHtml(from: Cell | undefined, to: Cell | undefined, type: ColumnType): string {
  if (from === undefined) return `<ins>${valueHtml(to ?? null)}</ins>`;
  if (to === undefined) return `<del>${valueHtml(from)}</del>`;
  if (!from || !to) return `<del>${valueHtml(from)}</del><ins>${valueHtml(to)}</ins>`;
  const sides = compareTexts(sanitize(from), sanitize(to), type);
  return `<del>${segmentsHtml(sides.from)}</del><ins>${segmentsHtml(sides.to)}</ins>`;
}

function segmentsHtml(segments: readonly Segment[]): string {
  const parts = segments.some(({ text, changed }) => !changed && text !== '');
  return segments
    .map(({ text, changed }) => {
      if (!changed || !parts || text === '') return escapeHtml(text);
      // A line end or a tab alone would be marked, but not seen.
      return `<b>${escapeHtml(text).replaceAll('\n', '⏎\n').replaceAll('\t', '⇥\t')}</b>`;
    })
    .join('');
}

function valueHtml(cell: Cell): string {
  if (cell === null) return `<i>${NULL_SIGN}</i>`;
  return cell === '' ? `<i>${EMPTY_SIGN}</i>` : escapeHtml(sanitize(cell));
}

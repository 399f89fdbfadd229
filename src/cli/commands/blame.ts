/**
 * `dv blame [REV:]TABLE`: the commit that last set each row, or each cell.
 *
 * JSON, one a line: `{"key":{...},"commit","time","author":{name,email}}`, with --cells also
 * `"cells":{column:commit}`; the row of a table without a key comes as `"row"`.
 */

import {
  type BlamedRow,
  type BlameOptions,
  blameTable,
  checkColumns,
  openCommitted,
} from '../../porcelain/row-questions.ts';
import type { Row, Schema } from '../../tuple/schema.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { collectNames } from '../import-options.ts';
import { pacedFlush } from '../paced-flush.ts';
import { shortHash } from '../render/commit-parts.ts';
import { cellText } from '../render/conflict-text.ts';
import { formatIsoDate, formatShortDate } from '../render/date.ts';
import { cutText } from '../render/diff/shorten.ts';
import { parseCount } from './log.ts';

interface Options extends AsOfFlag {
  readonly where?: string;
  readonly columns?: readonly string[];
  readonly cells?: boolean;
  readonly limit?: number;
}

const MOST_NAME = 16;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('Show for each row the commit that last set it; with --cells for each cell.')
      .argument('<table>', 'TABLE, or REV:TABLE')
      .option('--where <condition>', 'only rows that match an SQL condition')
      .option('--columns <names>', 'show these columns: a,b,...', collectNames)
      .option('--cells', 'the commit of each cell (of --columns, or of all)')
      .option('--limit <rows>', 'so many rows', parseCount);
    declareAsOf(command);
  },
  examples: [
    ['dv blame cities.csv', 'who last set each row'],
    ['dv blame --cells --columns population cities.csv', 'who set each number'],
    ['dv blame --where "country = \'CH\'" v1:cities.csv', 'some rows, as of a tag'],
  ],
  async run(context, { operands: [text], options }) {
    const repo = await openAsOf(context, options);
    const table = await openCommitted(repo, text);
    const { schema } = table;
    checkColumns(table, options.columns ?? []);
    const request: BlameOptions = {
      ...(options.where !== undefined && { where: options.where }),
      ...(options.limit !== undefined && { limit: options.limit }),
      ...(options.cells && { cells: options.columns ?? 'all' }),
    };
    const flush = pacedFlush(context);
    let isCut = false;
    for await (const batch of blameTable(repo, table, request)) {
      for (const row of batch) {
        if (context.json) context.out.json(rowAsJson(row, schema));
        else context.out.line(renderRow(row, schema, options, context));
        await flush();
        isCut ||= repo.store.shallow?.has(row.commit) ?? false;
      }
    }
    if (isCut) {
      context.note('rows of the oldest commit here may be older: dv fetch --unshallow tells');
    }
    return 0;
  },
};

function rowAsJson({ row, commit, object, cells }: BlamedRow, schema: Schema): unknown {
  const { name, email } = object.author;
  const places = schema.key.length > 0 ? schema.key : schema.columns.map((_, i) => i);
  const named = Object.fromEntries(places.map((i) => [schema.columns[i].name, row[i]]));
  return {
    ...(schema.key.length > 0 ? { key: named } : { row: named }),
    commit,
    time: formatIsoDate(object.author),
    author: { name, email },
    ...(cells.size > 0 && { cells: Object.fromEntries(cells) }),
  };
}

function renderRow(
  { row, commit, object, cells }: BlamedRow,
  schema: Schema,
  { columns }: Options,
  { paint, shownLine, width, isTTY }: Context,
): string {
  const author = cutText(shownLine(object.author.name), MOST_NAME);
  const head = `${paint.hash(shortHash(commit))} (${author} ${formatShortDate(object.author)})`;
  const wanted = (name: string, i: number) =>
    columns === undefined || columns.includes(name) || schema.key.includes(i);
  const text = schema.columns
    .map(({ name }, i) => ({ name, i }))
    .filter(({ name, i }) => wanted(name, i))
    .map(({ name, i }) => cellOf(row, i, cells.get(name), paint))
    .join('  ');
  const room = width - shortHash(commit).length - author.length - 14;
  return `${head} ${isTTY && cells.size === 0 ? cutText(text, Math.max(20, room)) : text}`;
}

function cellOf(
  row: Row,
  place: number,
  commit: Parameters<typeof shortHash>[0] | undefined,
  paint: Context['paint'],
): string {
  const text = cellText(row[place]);
  return commit === undefined ? text : `${text} ${paint.dim(`[${shortHash(commit)}]`)}`;
}

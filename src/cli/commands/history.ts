/**
 * `dv history [REV:]TABLE KEY`: every version of one row, newest first.
 *
 * JSON, one a line: `{"commit","time","author":{name,email},"message","change",
 * "cells":{column:{from,to}},"row":{...}|null}`.
 */

import { DvError } from '../../errors.ts';
import type { RowVersion } from '../../model/row-history.ts';
import { changedCells, historyOf } from '../../porcelain/row-questions.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { parseKeyList } from '../key-list.ts';
import { collect } from '../message.ts';
import { pacedFlush } from '../paced-flush.ts';
import { shortHash, subjectOf } from '../render/commit-parts.ts';
import { cellText } from '../render/conflict-text.ts';
import { formatIsoDate, formatShortDate } from '../render/date.ts';
import { cutText } from '../render/diff/shorten.ts';
import { parseCount } from './log.ts';

interface Options extends AsOfFlag {
  readonly column?: readonly string[];
  readonly maxCount?: number;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Show every version of one row, newest first: the commit, who made it and when, and the ' +
          'cells that it changed. Commits that left the row alone cost next to nothing.',
      )
      .argument('<table>', 'TABLE, or REV:TABLE to begin there')
      .argument('<key>', 'the row; cells of a longer key joined by commas')
      .option('-L, --column <column>', 'only versions that changed it; may be repeated', collect)
      .option('-n, --max-count <number>', 'so many versions', parseCount);
    declareAsOf(command);
  },
  examples: [
    ['dv history cities.csv 42', 'how a row came to be what it is'],
    ['dv history -L population cities.csv 42', 'who changed one cell'],
    ['dv history v1:stock.csv CH,4711', 'as of a tag; a key of two columns'],
  ],
  async run(context, { operands: [table, text, ...more], options }) {
    if (more.length > 0) {
      throw new DvError('bad-option', 'dv history shows one row', {
        hint: 'cells of a longer key are joined by commas',
      });
    }
    const key = parseKeyList(text, 'the key')[0] ?? [];
    const repo = await openAsOf(context, options);
    const flush = pacedFlush(context);
    const { column: columns, maxCount: limit } = options;
    for await (const version of historyOf(repo, table, key, { columns, limit })) {
      if (context.json) context.out.json(versionAsJson(version));
      else context.out.write(renderVersion(version, columns, context));
      await flush();
    }
    return 0;
  },
};

function versionAsJson(version: RowVersion): unknown {
  const { commit, object, change, to } = version;
  const { name, email } = object.author;
  const cells = changedCells(version).map(({ name: column, from, to: after }) => {
    return [column, { from: from ?? null, to: after ?? null }];
  });
  return {
    commit,
    time: formatIsoDate(object.author),
    author: { name, email },
    message: object.message,
    change,
    cells: Object.fromEntries(cells),
    row: to && Object.fromEntries(to.schema.columns.map((c, i) => [c.name, to.row[i]])),
  };
}

const WORDS: Readonly<Record<RowVersion['change'], string>> = {
  added: 'added',
  modified: 'changed',
  removed: 'removed',
};

/** With the cells that it set; of `columns`, where only those are asked about. */
function renderVersion(
  version: RowVersion,
  columns: readonly string[] | undefined,
  context: Context,
): string {
  const { paint, shownLine, width, isTTY } = context;
  const { commit, object, change } = version;
  const { name } = object.author;
  const role = { added: paint.added, modified: paint.changed, removed: paint.removed }[change];
  const head = [
    paint.hash(shortHash(commit)),
    formatShortDate(object.author),
    shownLine(name),
    role(WORDS[change]),
    shownLine(subjectOf(object.message)),
  ].join('  ');
  const room = isTTY ? Math.max(16, Math.floor((width - 30) / 2)) : Number.POSITIVE_INFINITY;
  const changed = changedCells(version).filter((cell) => columns?.includes(cell.name) ?? true);
  const lines = changed.map(({ name: column, from, to }) => {
    const [before, after] = [from, to].map((cell) => cutText(cellText(cell), room));
    const label = `    ${shownLine(column)}: `;
    if (change === 'added') return `${label}${paint.added(after)}`;
    if (change === 'removed') return `${label}${paint.removed(before)}`;
    return `${label}${paint.removed(before)} → ${paint.added(after)}`;
  });
  return [head, ...lines].map((line) => `${line}\n`).join('');
}

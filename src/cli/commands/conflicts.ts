/**
 * `dv conflicts [TABLE...]`: what the merge in progress left to decide.
 *
 * JSON, one a line: `{"table","kind","key":{...},"columns":[...],"base":{...}|null,"ours",
 * "theirs"}` of a row, `{"table","kind","reasons"}` of a table or file as a whole; with --stat
 * `{"table","kind","conflicts"}`. Exit status 1 while there are conflicts.
 */
import { DvError } from '../../errors.ts';
import { exportConflicts } from '../../porcelain/conflict-file.ts';
import {
  type ConflictFilter,
  countByTable,
  listConflicts,
  type RowInConflict,
  type WholeInConflict,
} from '../../porcelain/conflicts.ts';
import { type Repository, tableNameOf } from '../../porcelain/repository.ts';
import type { Row } from '../../tuple/schema.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderConflict } from '../render/conflict-text.ts';
import { formatCount } from '../render/count.ts';
import { conflictAsJson } from '../render/merge-conflicts.ts';
import { displayWidth, pad } from '../render/width.ts';
import { writeFileOf, writeTexts } from '../write-output.ts';

interface Options {
  readonly where?: string;
  readonly stat?: boolean;
  readonly export?: string;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Show what the merge in progress left to decide: what base, ours and theirs have. A ' +
          'star marks the cells that clash.',
      )
      .argument('[table...]', 'only of these tables')
      .option('--where <condition>', 'only rows that match; x, base_x, ours_x, theirs_x')
      .option('--stat', 'only how many there are in each table')
      .option(
        '--export <file>',
        'write them as CSV to fill in, - to standard output; see dv resolve --from',
      );
  },
  examples: [
    ['dv conflicts', 'everything that is left'],
    ['dv conflicts --where "ours_population > theirs_population"', 'some of it'],
    ['dv conflicts --export left.csv', 'settle them in a spreadsheet'],
  ],
  async run(context, { operands, options }) {
    const repo = await openRepositoryOf(context);
    const tables = operands.map((path) => tableNameOf(repo, path));
    const filter: ConflictFilter = { tables, where: options.where };
    if (options.export !== undefined) {
      if (options.stat) throw new DvError('bad-option', "'--export' does not go with '--stat'");
      await exportTo(context, repo, filter, options.export);
      return 0;
    }
    const counts = await countByTable(repo, tables);
    const left = counts.reduce((sum, { conflicts }) => sum + conflicts, 0);
    if (options.stat) showCounts(context, await countByTable(repo, tables, options.where));
    else await writeTexts(context, texts(context, repo, filter));
    if (left === 0) context.note('no conflicts are left; dv commit ends the merge');
    return left === 0 ? 0 : 1;
  },
};

async function exportTo(
  context: Context,
  repo: Repository,
  filter: ConflictFilter,
  file: string,
): Promise<void> {
  let rows = 0;
  const wholes: string[] = [];
  const pieces = exportConflicts(repo, filter, (item) => {
    if (item.kind === 'row') rows += 1;
    else wholes.push(item.table);
  });
  if (file === '-') await writeTexts(context, pieces);
  else await writeFileOf(context, file, pieces);
  const place = file === '-' ? 'standard output' : file;
  context.note(context.shownLine(`${formatCount(rows, 'conflicts')} written to ${place}`));
  for (const table of wholes) {
    const how = `dv resolve --ours ${table}, or --theirs`;
    context.note(context.shownLine(`'${table}' is not in it: ${how}, decides it as a whole`));
  }
}

function showCounts(
  context: Context,
  counts: readonly { readonly table: string; readonly conflicts: number }[],
): void {
  if (context.json) {
    for (const count of counts) context.out.json(count);
    return;
  }
  const names = counts.map(({ table }) => context.shownLine(table));
  const width = Math.max(0, ...names.map(displayWidth));
  for (const [i, { conflicts }] of counts.entries()) {
    context.out.line(` ${pad(names[i], width)} | ${formatCount(conflicts, 'conflicts')}`);
  }
}

async function* texts(
  context: Context,
  repo: Repository,
  filter: ConflictFilter,
): AsyncGenerator<string> {
  let first = true;
  for await (const batch of listConflicts(repo, filter)) {
    for (const item of batch) {
      if (context.json) yield `${JSON.stringify(itemAsJson(item))}\n`;
      else yield (first ? '' : '\n') + renderConflict(item, context);
      first = false;
    }
  }
}

function itemAsJson(item: RowInConflict | WholeInConflict): unknown {
  if (item.kind === 'whole') return conflictAsJson(item.conflict);
  const { table, conflict, schema, key, columns, sides } = item;
  const named = (row: Row | null) =>
    row && Object.fromEntries(schema.columns.map(({ name }, i) => [name, row[i]]));
  return {
    table,
    kind: conflict,
    key: Object.fromEntries(schema.key.map((place, i) => [schema.columns[place].name, key[i]])),
    columns,
    base: named(sides.base),
    ours: named(sides.ours),
    theirs: named(sides.theirs),
  };
}

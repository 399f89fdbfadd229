/**
 * `dv add`: working files into what is staged.
 *
 * JSON: `{"dryRun":false,"tables":[...]}` with a table as added-json.ts has it.
 */
import { DvError } from '../../errors.ts';
import { type AddedTable, type AddOptions, add } from '../../porcelain/add.ts';
import type { RowSelection } from '../../porcelain/select-rows.ts';
import { addedAsJson } from '../added-json.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { declareImportOptions, type ImportFlags, readImportOptions } from '../import-options.ts';
import { readKeyList } from '../key-list.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderAdded } from '../render/added-table.ts';

interface Options extends ImportFlags {
  readonly all?: boolean;
  readonly update?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly verbose?: boolean;
  readonly where?: string;
  readonly keyIn?: string;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Stage working files for the next commit. A file whose name says CSV, TSV, NDJSON, JSON ' +
          'or Parquet becomes a table; every other file is kept as it is. The first time, dv ' +
          'finds the types of the columns and a key, and remembers them.',
      )
      .argument('[path...]', 'files, or directories with all that is in them')
      .option('-A, --all', 'everything in the repository, files that are gone included')
      .option('-u, --update', 'only what is tracked already')
      .option('-f, --force', 'also files that .dvignore names')
      .option('-n, --dry-run', 'stage nothing; show what dv would make of the files, and why')
      .option('-v, --verbose', 'show columns, types and reasons');
    declareImportOptions(command);
    command
      .option('--where <condition>', 'only the changed rows for which this SQL is true')
      .option('--key-in <file>', 'only the changed rows whose keys are in the file, one a line');
  },
  examples: [
    ['dv add cities.csv', 'stage a table, or what changed in it'],
    ['dv add -n --type zip=text --key country,zip zips.csv', 'try a key and a type first'],
    ['dv add --where \'country = "DE"\' cities.csv', 'stage some of the changed rows'],
    ['dv add -A', 'stage everything'],
  ],
  async run(context, { operands, options }) {
    const paths = pathsOf(operands, options);
    const rows = await readSelection(context, options);
    const repo = await openRepositoryOf(context);
    const request: AddOptions = {
      ...readImportOptions(options),
      dryRun: options.dryRun,
      update: options.update,
      force: options.force,
      rows,
    };
    const { tables } = await add(repo, paths ?? [repo.worktree], request);
    if (context.json) {
      const list = tables.map(addedAsJson);
      context.out.json({ dryRun: options.dryRun === true, tables: list });
    } else {
      report(context, tables, options, rows !== undefined);
    }
    return 0;
  },
};

/** undefined: the whole worktree. @throws DvError `bad-option` */
function pathsOf(operands: readonly string[], { all, update }: Options) {
  if (all && update) throw new DvError('bad-option', "'--all' and '--update' exclude each other");
  if (operands.length > 0) return operands;
  if (all || update) return undefined;
  throw new DvError('bad-option', 'nothing was named to add', {
    hint: 'dv add FILE, or dv add -A for everything',
  });
}

async function readSelection(
  context: Context,
  { where, keyIn }: Options,
): Promise<RowSelection | undefined> {
  if (where !== undefined && keyIn !== undefined) {
    throw new DvError('bad-option', "'--where' and '--key-in' exclude each other");
  }
  if (keyIn !== undefined) return { keys: await readKeyList(context, keyIn) };
  return where === undefined ? undefined : { where };
}

function report(
  context: Context,
  tables: readonly AddedTable[],
  { dryRun, verbose }: Options,
  someRows: boolean,
): void {
  const width = context.isTTY ? context.width : undefined;
  const full = dryRun === true || verbose === true;
  for (const added of tables) {
    if (!context.quiet || dryRun) context.out.write(renderAdded(added, context, { full, width }));
  }
  const changed = tables.some(({ change }) => change !== 'unchanged');
  if (dryRun) context.note('nothing is staged: this was a dry run');
  else if (!changed && context.isTTY) {
    context.note(someRows ? 'no changed row was picked' : 'nothing changed since it was staged');
  }
}

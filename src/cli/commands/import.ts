/**
 * `dv import TABLE [FILE|-]`: a file or standard input into a table, staged.
 * JSON: what `dv add` says of a table, and `dryRun`.
 */
import { DvError } from '../../errors.ts';
import { importFile } from '../../porcelain/import-file.ts';
import { addedAsJson } from '../added-json.ts';
import type { CommandModule } from '../command.ts';
import { declareImportOptions, type ImportFlags, readImportOptions } from '../import-options.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderAdded } from '../render/added-table.ts';

interface Options extends ImportFlags {
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Read a file, or standard input, into a table and stage it. A table whose name has an ' +
          'extension has a working file, which is written too; one whose name has none lives ' +
          'in the repository alone. Files that end in .gz or .zst are decompressed, and so is ' +
          'standard input that begins as those do.',
      )
      .argument('<table>', 'orders, data/cities.csv, ...')
      .argument('[file]', '- or none is standard input')
      .option('-n, --dry-run', 'stage nothing; show what dv would make of it, and why')
      .option('-f, --force', 'write over a working file that has changes which are not staged');
    declareImportOptions(command);
  },
  examples: [
    ['dv import orders export-2026-11.csv.gz', 'a table that lives in the repository alone'],
    ['curl -s https://example.org/rates.json | dv import rates --format json', 'from a pipe'],
    ['dv import -n --key country,year gdp.csv download.tsv', 'try it first'],
  ],
  async run(context, { operands, options }) {
    const [table, file = '-', ...more] = operands;
    if (more.length > 0) throw new DvError('bad-option', 'dv import takes a table and one file');
    const repository = await openRepositoryOf(context);
    if (file === '-' && context.stdinIsTTY) {
      context.note('reading rows from the keyboard; ^D ends them');
    }
    const { dryRun = false, force } = options;
    const request = { ...readImportOptions(options), dryRun, force };
    const added = await importFile(repository, table, file, request);
    if (context.json) {
      context.out.json({ ...(addedAsJson(added) as object), dryRun });
      return 0;
    }
    const width = context.isTTY ? context.width : undefined;
    const text = renderAdded(added, context, { full: dryRun, width });
    if (!context.quiet || dryRun) context.out.write(text);
    if (added.change === 'unchanged') context.note(`nothing changed in ${added.table}`);
    if (dryRun) context.note('nothing is staged: this was a dry run');
    return 0;
  },
};

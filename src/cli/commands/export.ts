/**
 * `dv export [REV:]TABLE`: a table as bytes, to a file or standard output. With --json and
 * no --output, rows as NDJSON; with --output, `{"table","file"}`.
 */
import { DvError } from '../../errors.ts';
import { FORMAT_NAMES, type FormatName } from '../../formats/contract.ts';
import { exportBytes, exportFile, reportBytes } from '../../porcelain/export.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { parseTableFormat } from '../import-options.ts';
import { removedAtEnd, writeBytes } from '../write-output.ts';

interface Options extends AsOfFlag {
  readonly output?: string;
  readonly format?: FormatName;
  readonly withVersion?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Write a table, as it is staged or as it was in a revision, to a file or to standard ' +
          'output, in the form it was read in or in another. Rows come in the order of the key.',
      )
      .argument('<table>', 'TABLE, or REV:TABLE as in HEAD~2:cities.csv')
      .option('-o, --output <file>', 'all or nothing; its name may tell format and compression')
      .option('--format <name>', FORMAT_NAMES.join(', '), parseTableFormat)
      .option(
        '--with-version',
        "as committed, with the commit, time and author of each row's last change",
      );
    declareAsOf(command);
  },
  examples: [
    ['dv export orders', 'to standard output'],
    ['dv export v1:cities.csv -o cities-v1.parquet', 'a table of a revision, in another format'],
    ['dv export --with-version cities.csv', 'who last changed each row, and when'],
    ['dv export --format ndjson main:cities.csv | jq .name', 'to another program'],
  ],
  async run(context, { operands: [text, ...more], options }) {
    if (more.length > 0) throw new DvError('bad-option', 'dv export writes one table');
    const { output, format, withVersion } = options;
    const repository = await openAsOf(context, options);
    if (output !== undefined && output !== '-') {
      const onTemporary = removedAtEnd(context);
      const request = { output, format, onTemporary, withVersion };
      const { file } = await exportFile(repository, text, request);
      if (context.json) context.out.json({ table: text, file });
      return 0;
    }
    const wanted = formatForStream(context, format);
    const bytes = await exportBytes(repository, text, { format: wanted, withVersion });
    const { report } = context.environment;
    await writeBytes(context, context.isTTY ? bytes : reportBytes(bytes, text, report));
    return 0;
  },
};

/** @throws DvError `bad-option` for what standard output cannot carry here */
function formatForStream(
  { json, isTTY }: Context,
  format: FormatName | undefined,
): FormatName | undefined {
  if (json && format !== undefined && format !== 'ndjson') {
    throw new DvError('bad-option', `'--json' writes rows as NDJSON, not as ${format}`, {
      hint: '--output FILE writes another format',
    });
  }
  if (isTTY && format === 'parquet') {
    throw new DvError('bad-option', 'parquet is not for a terminal', {
      hint: '--output FILE, or send it into a pipe',
    });
  }
  return json ? 'ndjson' : format;
}

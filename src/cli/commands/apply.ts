/**
 * `dv apply [FILE|-]`: the row changes of a patch, or of a diff in NDJSON, onto tables.
 * JSON: `{"tables":[{"table","added","removed","modified"}]}`.
 */
import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DvError } from '../../errors.ts';
import { type ApplyOptions, apply } from '../../porcelain/apply.ts';
import { decompressIfNeeded, standardInput } from '../../porcelain/import/input-file.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { renderSummary } from '../render/row-counts.ts';

interface Options extends ApplyOptions {
  readonly stat?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Apply the row changes of a patch (dv diff --format patch) or of a diff in NDJSON ' +
          '(dv diff --complete --json) to the files here. Every row is compared first: what ' +
          'does not fit refuses the whole patch, and nothing changes.',
      )
      .argument('[file]', 'the patch; - or none is standard input')
      .option('-R, --reverse', 'undo the patch')
      .option('--cached', 'apply to what is staged, and leave the files')
      .option('--index', 'apply to the files and to what is staged')
      .option('--check', 'say whether it fits, and change nothing')
      .option('--stat', 'say how many rows it changes, and change nothing');
  },
  examples: [
    ['dv diff v1 v2 --format patch > v2.patch', 'make a patch'],
    ['dv apply v2.patch', 'apply it, here or in another repository'],
    ['dv apply -R v2.patch', 'take it back'],
    ['dv diff HEAD~1 --complete --json | dv apply -R', 'undo everything since the last commit'],
  ],
  async run(context, { operands, options }) {
    const [file = '-', ...more] = operands;
    if (more.length > 0) throw new DvError('bad-option', 'dv apply takes one patch');
    if (options.cached && options.index) {
      throw new DvError('bad-option', "'--cached' and '--index' exclude each other");
    }
    const repository = await openRepositoryOf(context);
    const check = options.check || options.stat;
    const { tables } = await apply(repository, openPatch(context, file), {
      ...options,
      check,
      file: file === '-' ? 'standard input' : file,
    });
    if (context.json) context.out.json({ tables });
    else if (!context.quiet || options.stat) {
      context.out.write(renderSummary({ tables, files: [] }, context));
      if (tables.length === 0) context.note('the patch changes nothing');
    }
    return 0;
  },
};

function openPatch(context: Context, file: string): AsyncIterable<Uint8Array> {
  if (file === '-') {
    if (context.stdinIsTTY) context.note('reading the patch from the keyboard; ^D ends it');
    return decompressIfNeeded(standardInput(context.environment), 'standard input');
  }
  const path = resolve(context.cwd, file);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new DvError('file-missing', `there is no file '${file}'`, { data: { file } });
  }
  if (stat.isDirectory()) {
    throw new DvError('file-is-directory', `'${file}' is a directory`, { data: { file } });
  }
  return decompressIfNeeded(createReadStream(path), file);
}

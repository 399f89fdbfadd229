/**
 * `dv gc`: removes what nothing reaches any more.
 * JSON: `{"dryRun","reachable","objects","storedBytes","fileBytesBefore","fileBytesAfter"}`;
 * `objects` and `storedBytes` are of what was (or, in a dry run, would be) removed.
 */
import { DvError } from '../../errors.ts';
import { parseDate } from '../../porcelain/dates.ts';
import { DEFAULT_GRACE_DAYS, type GcVerbResult, gc } from '../../porcelain/maintain.ts';
import type { CommandModule } from '../command.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { formatBytes, formatCount } from '../render/count.ts';

interface Options {
  readonly prune?: string;
  readonly grace?: string;
  readonly dryRun?: boolean;
}

const DAY = 24 * 60 * 60 * 1000;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Remove objects that no branch, tag, reflog entry or stage reaches. Younger ones stay, ' +
          'for another dv may be about to use them. Readers and writers go on meanwhile.',
      )
      .option(
        '--prune <age>',
        `older than this go: now, a number of days (default: ${DEFAULT_GRACE_DAYS}) or a date`,
      )
      .option('--grace <days>', 'the same, in days')
      .option('-n, --dry-run', 'remove nothing; say what would go');
  },
  examples: [
    ['dv gc', 'now and then'],
    ['dv gc -n --prune=now', 'how much could go at once, while no other dv works here'],
  ],
  async run(context, { options }) {
    const grace = readGrace(options, context.environment.now());
    const repository = await openRepositoryOf(context);
    const result = await gc(repository, { grace, dryRun: options.dryRun });
    if (context.json) context.out.json(result);
    else if (!context.quiet || result.dryRun) context.out.write(renderResult(result));
    return 0;
  },
};

/** In ms; undefined: the default. @throws DvError `bad-option` */
function readGrace({ prune, grace }: Options, now: number): number | undefined {
  if (prune !== undefined && grace !== undefined) {
    throw new DvError('bad-option', "'--prune' and '--grace' exclude each other");
  }
  const text = prune ?? grace;
  if (text === undefined) return undefined;
  if (/^\d{1,6}(?:\.\d{1,6})?$/.test(text)) return Number(text) * DAY;
  const time = prune === 'now' ? now : prune === undefined ? undefined : parseDate(prune, now);
  if (time !== undefined && time <= now) return now - time;
  const name = prune === undefined ? '--grace' : '--prune';
  throw new DvError('bad-option', `'${name}=${text}' is not an age`, {
    hint: prune === undefined ? '--grace=3' : '--prune=now, --prune=3 or --prune=2026-11-01',
  });
}

function renderResult(result: GcVerbResult): string {
  const { dryRun, objects, storedBytes, reachable, fileBytesBefore, fileBytesAfter } = result;
  const removed = `${formatCount(objects, 'objects')}, ${formatBytes(storedBytes)}`;
  const kept = `in use: ${formatCount(reachable, 'objects')}`;
  if (dryRun) return `would remove ${removed}; ${kept}\n`;
  const sizes = [fileBytesBefore, fileBytesAfter].map(formatBytes);
  const file = sizes[0] === sizes[1] ? sizes[0] : sizes.join(' → ');
  return `removed ${removed}; ${kept}; store: ${file}\n`;
}

/** `--as-of TIME`: every revision of a command as it was at a time. */
import type { Command } from 'commander';
import { DvError } from '../errors.ts';
import { parseDate } from '../porcelain/dates.ts';
import type { Repository } from '../porcelain/repository.ts';
import type { Context } from './context.ts';
import { openRepositoryOf } from './open-repository.ts';

export interface AsOfFlag {
  readonly asOf?: string;
}

export function declareAsOf(command: Command): void {
  command.option('--as-of <time>', 'what revisions were then: 2026-11-01, "2 weeks ago"');
}

/** The repository in which revisions are of that time. @throws DvError `bad-date` */
export async function openAsOf(context: Context, { asOf }: AsOfFlag): Promise<Repository> {
  const repo = await openRepositoryOf(context);
  if (asOf === undefined) return repo;
  const time = parseDate(asOf, context.environment.now());
  if (time !== undefined) return { ...repo, asOf: time };
  throw new DvError('bad-date', `"${asOf}" is not a time`, {
    hint: '--as-of 2026-11-01, --as-of "2026-11-01 12:00" or --as-of "2 weeks ago"',
  });
}

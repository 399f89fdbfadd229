/** An annotated tag as `show` writes it above its commit. */
import type { Tag } from '../../model/objects.ts';
import type { Context } from '../context.ts';
import { who } from './commit-parts.ts';
import { formatDate } from './date.ts';

/** Without a line feed behind the last line. */
export function renderTag(
  { name, tagger, message }: Tag,
  { paint, shown, shownLine }: Pick<Context, 'paint' | 'shown' | 'shownLine'>,
): string {
  const lines = [
    paint.changed(`tag ${shownLine(name)}`),
    `Tagger: ${shownLine(who(tagger))}`,
    `Date:   ${formatDate(tagger)}`,
    '',
    shown(message.trimEnd()),
  ];
  return lines.join('\n');
}

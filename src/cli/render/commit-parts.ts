/** The pieces that every way to write a commit is made of. */
import type { Hash } from '../../hash.ts';
import type { Person } from '../../model/objects.ts';
import type { Decoration } from '../../porcelain/decorations.ts';
import type { Context } from '../context.ts';

const SHORT_DIGITS = 7;
const INDENT = '    ';

export function shortHash(hash: Hash): string {
  return hash.slice(0, SHORT_DIGITS);
}

/** The first line. */
export function subjectOf(message: string): string {
  return message.split('\n', 1)[0];
}

export function who({ name, email }: Pick<Person, 'name' | 'email'>): string {
  return `${name} <${email}>`;
}

/** A message below a head: every line that has something is moved in. */
export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, INDENT);
}

/** `HEAD -> main, tag: v1` */
export function renderNames(
  names: readonly Decoration[],
  { paint, shownLine }: Pick<Context, 'paint' | 'shownLine'>,
): string {
  const parts = names.map(({ kind, name }) => {
    const text = shownLine(name);
    if (kind === 'tag') return paint.changed(`tag: ${text}`);
    if (kind === 'branch') return paint.added(text);
    if (kind === 'remote') return paint.removed(text);
    return name === 'HEAD' ? paint.ref(name) : `${paint.ref('HEAD ->')} ${paint.added(text)}`;
  });
  return parts.join(paint.hash(', '));
}

/** ` (HEAD -> main, tag: v1)`, or nothing. */
export function renderNamesBehind(
  names: readonly Decoration[],
  context: Pick<Context, 'paint' | 'shownLine'>,
): string {
  if (names.length === 0) return '';
  const { paint } = context;
  return `${paint.hash(' (')}${renderNames(names, context)}${paint.hash(')')}`;
}

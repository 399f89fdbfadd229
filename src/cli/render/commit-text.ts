/**
 * A commit as `log` and `show` write it, in git's formats: `oneline`, `short`, `medium`,
 * `full`, `fuller`, or a template with git's placeholders (commit-template.ts).
 */
import type { Hash } from '../../hash.ts';
import { readResolved } from '../../model/merge-record.ts';
import type { Commit } from '../../model/objects.ts';
import type { Decoration, Decorations } from '../../porcelain/decorations.ts';
import type { Context } from '../context.ts';
import { indent, renderNamesBehind, shortHash, subjectOf, who } from './commit-parts.ts';
import { fillTemplate } from './commit-template.ts';
import { formatDate } from './date.ts';
import { renderDecisions } from './merge-decisions.ts';
import { NO_PAINT } from './paint.ts';
import { displayWidth } from './width.ts';

export const COMMIT_FORMATS = ['oneline', 'short', 'medium', 'full', 'fuller'] as const;
export type CommitFormat = (typeof COMMIT_FORMATS)[number];

export interface CommitStyle {
  readonly format: CommitFormat | { readonly template: string };
  readonly context: Pick<Context, 'paint' | 'shown' | 'shownLine' | 'environment'>;
  /** Names behind the hashes; undefined: none are wanted. */
  readonly decorations?: Decorations;
  /** Short hashes, or full ones; default: short only in `oneline`. */
  readonly abbreviate?: boolean;
  /** With what merge rules decided. */
  readonly resolved?: boolean;
  /** Columns of the terminal: a hash that would break the line is cut. */
  readonly width?: number;
}

const CUT_DIGITS = 12;

/** The lines of a commit, without a line feed behind the last. */
export function renderCommit(hash: Hash, commit: Commit, style: CommitStyle): string {
  const { format, context, decorations } = style;
  const names = decorations?.get(hash) ?? [];
  if (typeof format !== 'string') {
    return fillTemplate(format.template, { hash, commit, names, context });
  }
  const abbreviate = style.abbreviate ?? format === 'oneline';
  const text = abbreviate ? shortHash(hash) : hash;
  if (format !== 'oneline') return renderLong(fitHash(text, names, style), commit, style, names);
  const subject = context.shownLine(subjectOf(commit.message));
  return `${context.paint.hash(text)}${renderNamesBehind(names, context)} ${subject}`;
}

/** The hash, cut where it and the names behind it do not fit on a line of the terminal. */
function fitHash(hash: string, names: readonly Decoration[], style: CommitStyle): string {
  const { context, width = Number.POSITIVE_INFINITY } = style;
  const plain = renderNamesBehind(names, { ...context, paint: NO_PAINT });
  return displayWidth(`commit ${hash}${plain}`) > width ? hash.slice(0, CUT_DIGITS) : hash;
}

function renderLong(
  hash: string,
  commit: Commit,
  { format, context, resolved: isResolvedShown }: CommitStyle,
  names: readonly Decoration[],
): string {
  const { author, committer, message, parents } = commit;
  const head = context.paint.hash(`commit ${hash}`) + renderNamesBehind(names, context);
  const facts: (readonly [label: string, value: string])[] = [];
  if (parents.length > 1) facts.push(['Merge', parents.map(shortHash).join(' ')]);
  facts.push(['Author', who(author)]);
  if (format === 'medium') facts.push(['Date', formatDate(author)]);
  if (format === 'fuller') facts.push(['AuthorDate', formatDate(author)]);
  if (format === 'full' || format === 'fuller') facts.push(['Commit', who(committer)]);
  if (format === 'fuller') facts.push(['CommitDate', formatDate(committer)]);
  const body = context.shown(format === 'short' ? subjectOf(message) : message);
  const text = [head, ...renderFacts(facts, format, context), '', indent(body)].join('\n');
  const resolved = isResolvedShown ? readResolved(commit) : undefined;
  if (resolved === undefined) return text;
  return `${text}\n\n    Decided by rule:\n${renderDecisions(resolved, context).trimEnd()}`;
}

function renderFacts(
  facts: readonly (readonly [label: string, value: string])[],
  format: CommitStyle['format'],
  { shownLine }: CommitStyle['context'],
): string[] {
  const column = format === 'fuller' ? 'AuthorDate: '.length : 'Author: '.length;
  return facts.map(([label, value]) => {
    const width = label === 'Merge' && format !== 'fuller' ? 0 : column;
    return `${`${label}: `.padEnd(width)}${shownLine(value)}`;
  });
}

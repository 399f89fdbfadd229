/**
 * `--format` templates, with the placeholders of git-log(1) that people use:
 *
 *   %H %h  hash, short    %P %p  parents, short    %an %ae  author      %cn %ce  committer
 *   %ad    date           %aI    ISO 8601          %as      day         %ar      3 days ago
 *   %at    seconds since 1970 (and %cd ... of the committer)
 *   %s     subject        %b     body              %B       message
 *   %d %D  names, with and without the brackets    %n       line feed   %%       %
 *
 * What is no placeholder stays as it is.
 */
import type { Hash } from '../../hash.ts';
import type { Commit, Person } from '../../model/objects.ts';
import type { Decoration } from '../../porcelain/decorations.ts';
import type { Context } from '../context.ts';
import { renderNames, renderNamesBehind, shortHash, subjectOf } from './commit-parts.ts';
import { formatDate, formatIsoDate, formatRelativeDate, formatShortDate } from './date.ts';

export interface TemplateFacts {
  readonly hash: Hash;
  readonly commit: Commit;
  readonly names: readonly Decoration[];
  readonly context: Pick<Context, 'paint' | 'shown' | 'shownLine' | 'environment'>;
}

export function fillTemplate(template: string, facts: TemplateFacts): string {
  const { context } = facts;
  return template.replace(/%(?:[ac][neIdsrt]|[HhPpsbBdDn%])/g, (placeholder) => {
    const name = placeholder.slice(1);
    if (name.length === 1) return fillSingle(name, facts);
    const person = name.startsWith('a') ? facts.commit.author : facts.commit.committer;
    return context.shownLine(fillPerson(name.slice(1), person, context.environment.now()));
  });
}

function fillSingle(name: string, { hash, commit, names, context }: TemplateFacts): string {
  switch (name) {
    case 'H':
      return hash;
    case 'h':
      return shortHash(hash);
    case 'P':
      return commit.parents.join(' ');
    case 'p':
      return commit.parents.map(shortHash).join(' ');
    case 's':
      return context.shownLine(subjectOf(commit.message));
    case 'b':
      return context.shown(commit.message.slice(subjectOf(commit.message).length).trim());
    case 'B':
      return context.shown(commit.message);
    case 'd':
      return renderNamesBehind(names, context);
    case 'D':
      return renderNames(names, context);
    case 'n':
      return '\n';
    default:
      return '%';
  }
}

function fillPerson(name: string, person: Person, now: number): string {
  switch (name) {
    case 'n':
      return person.name;
    case 'e':
      return person.email;
    case 'I':
      return formatIsoDate(person);
    case 's':
      return formatShortDate(person);
    case 'r':
      return formatRelativeDate(person, now);
    case 't':
      return String(Math.floor(person.time / 1000));
    default:
      return formatDate(person);
  }
}

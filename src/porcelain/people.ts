/**
 * Who acts and when: the author and committer of a commit, the tagger of a tag.
 */
import { DvError } from '../errors.ts';
import type { Person } from '../model/objects.ts';
import { readConfig, resolveAuthor } from './config.ts';
import { parseDate } from './dates.ts';
import type { Repository } from './repository.ts';

export interface PersonOptions {
  /** `Name <email>`. */
  readonly author?: string;
  readonly date?: string;
}

/** The configured person, now. @throws DvError `no-author` */
export async function currentPerson(repo: Repository): Promise<Person> {
  const { env } = repo;
  const config = readConfig(repo.dotDir, env.userConfig);
  const { name, email } = resolveAuthor(env.variables, config);
  return { name, email, time: env.now(), zone: env.zone() };
}

/** @throws DvError `bad-option`, `bad-date` */
export function overridePerson(person: Person, options: PersonOptions, now: number): Person {
  return { ...person, ...parseAuthor(options.author), ...parseTime(options.date, now) };
}

function parseAuthor(text: string | undefined): { name: string; email: string } | undefined {
  if (text === undefined) return undefined;
  const match = /^\s*([^<>\n]+?)\s*<([^<>\n]*)>\s*$/.exec(text);
  if (match === null) {
    throw new DvError('bad-option', `"${text}" is not an author`, {
      hint: '--author "Ada Lovelace <ada@example.org>"',
    });
  }
  return { name: match[1], email: match[2] };
}

function parseTime(text: string | undefined, now: number): { time: number } | undefined {
  if (text === undefined) return undefined;
  const time = parseDate(text, now);
  if (time === undefined) {
    throw new DvError('bad-date', `"${text}" is not a date`, { hint: '--date 2026-11-01T12:00' });
  }
  return { time };
}

/** What the feed records as the actor. */
export function actorOf(person: Person): string {
  return `${person.name} <${person.email}>`;
}

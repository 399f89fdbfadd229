/**
 * How far a follower has come: a cursor, and what was output of events that are not whole
 * yet. As text, for a cursor file: the cursor on the first line; then, seldom, a line
 * `<ref> <commit>` for each ref of which everything up to that commit is output, or
 * `<ref> <commit> <commit>` where that is part of a change up to the second.
 */
import { DvError } from '../errors.ts';
import { type Hash, isHash } from '../hash.ts';
import { parseCursor } from '../model/cursor.ts';

/** What was output of a ref. */
export interface OutputOfRef {
  /** The last one. */
  readonly commit: Hash;
  /** Where the change left the ref that this one is of. */
  readonly of: Hash;
}

export interface FollowPosition {
  /** undefined: from now on. */
  readonly cursor: string | undefined;
  readonly done: ReadonlyMap<string, OutputOfRef>;
}

export const FROM_NOW: FollowPosition = { cursor: undefined, done: new Map() };

export function formatPosition({ cursor, done }: FollowPosition): string {
  const lines = [...done].map(([ref, { commit, of }]) =>
    commit === of ? `${ref} ${commit}\n` : `${ref} ${commit} ${of}\n`,
  );
  return `${cursor ?? ''}\n${lines.join('')}`;
}

/** @throws DvError `bad-cursor` */
export function parsePosition(text: string): FollowPosition {
  const [cursor, ...lines] = text.trimEnd().split('\n');
  parseCursor(cursor);
  const done = new Map<string, OutputOfRef>();
  for (const line of lines) {
    const [ref, commit = '', of = commit, ...rest] = line.split(' ');
    if (rest.length > 0 || !isHash(commit) || !isHash(of)) {
      throw new DvError('bad-cursor', `'${line.slice(0, 80)}' is no line of a cursor file`, {
        hint: 'take the file away to begin from now on',
      });
    }
    done.set(ref, { commit, of });
  }
  return { cursor, done };
}

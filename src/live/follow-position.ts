/**
 * How far a follower has come: a cursor, and what was output of events that are not whole
 * yet. As text, for a cursor file: the cursor on the first line; then, seldom, a line
 * `<ref> <hash>` for each ref of which everything up to that commit is output.
 */
import { DvError } from '../errors.ts';
import { type Hash, isHash } from '../hash.ts';
import { parseCursor } from '../model/cursor.ts';

export interface FollowPosition {
  /** undefined: from now on. */
  readonly cursor: string | undefined;
  readonly done: ReadonlyMap<string, Hash>;
}

export const FROM_NOW: FollowPosition = { cursor: undefined, done: new Map() };

export function formatPosition({ cursor, done }: FollowPosition): string {
  const lines = [...done].map(([ref, hash]) => `${ref} ${hash}\n`);
  return `${cursor ?? ''}\n${lines.join('')}`;
}

/** @throws DvError `bad-cursor` */
export function parsePosition(text: string): FollowPosition {
  const [cursor, ...lines] = text.trimEnd().split('\n');
  parseCursor(cursor);
  const done = new Map<string, Hash>();
  for (const line of lines) {
    const [ref, hash, ...rest] = line.split(' ');
    if (rest.length > 0 || !isHash(hash ?? '')) {
      throw new DvError('bad-cursor', `'${line.slice(0, 80)}' is no line of a cursor file`, {
        hint: 'take the file away to begin from now on',
      });
    }
    done.set(ref, hash as Hash);
  }
  return { cursor, done };
}

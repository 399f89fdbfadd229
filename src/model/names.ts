/**
 * The grammar of names, in one place: tables and files (paths inside the working
 * directory) and refs (git's check-ref-format). A name never escapes the directory, never
 * carries control characters, and no two names of a root differ only by case.
 */
import { DvError } from '../errors.ts';

// Control characters and the invisible ones that reorder text on screen.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const MAX_SEGMENT_BYTES = 255;

function badName(what: string, name: string, why: string): DvError {
  const shown = JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
  return new DvError('bad-name', `${what} name ${shown} ${why}`, { data: { name } });
}

/** A table or plain-file name: a relative path with `/`. @throws DvError `bad-name` */
export function checkTableName(name: string): string {
  const fail = (why: string): never => {
    throw badName('table', name, why);
  };
  if (name === '') fail('is empty');
  if (UNPRINTABLE.test(name)) fail('has a control character');
  if (!name.isWellFormed()) fail('is not valid Unicode');
  if (name.includes('\\')) fail('has a backslash');
  if (name.includes(':')) fail('has a colon');
  if (name.startsWith('/')) fail('is an absolute path');
  for (const segment of name.split('/')) {
    if (segment === '' || segment === '.') fail('has an empty part');
    if (segment === '..') fail("has a part '..'");
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) fail('has a part over 255 bytes');
    if (segment.toLowerCase() === '.dv') fail("has a part '.dv'");
  }
  return name;
}

/** What two names must not share: they would be one file on many file systems. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** A branch or tag name. @throws DvError `bad-name` */
export function checkRefName(what: 'branch' | 'tag', name: string): string {
  const fail = (why: string): never => {
    throw badName(what, name, why);
  };
  if (name === '' || name === '@' || name === 'HEAD') fail('is not allowed');
  if (UNPRINTABLE.test(name)) fail('has a control character');
  if (/[ ~^:?*[\\]/.test(name)) fail('has one of the characters space ~ ^ : ? * [ \\');
  if (name.includes('..')) fail("has '..'");
  if (name.includes('@{')) fail("has '@{'");
  if (name.startsWith('-')) fail("starts with '-'");
  if (name.endsWith('.')) fail("ends with '.'");
  for (const segment of name.split('/')) {
    if (segment === '') fail('has an empty part');
    if (segment.startsWith('.')) fail("has a part that starts with '.'");
    if (segment.endsWith('.lock')) fail("has a part that ends with '.lock'");
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) fail('has a part over 255 bytes');
  }
  return name;
}

export const BRANCH_PREFIX = 'refs/heads/';
export const TAG_PREFIX = 'refs/tags/';
export const REMOTE_PREFIX = 'refs/remotes/';

/** `main` for `refs/heads/main`, and so on; other refs in full. */
export function shortRefName(ref: string): string {
  for (const prefix of [BRANCH_PREFIX, TAG_PREFIX, REMOTE_PREFIX]) {
    if (ref.startsWith(prefix)) return ref.slice(prefix.length);
  }
  return ref;
}

/**
 * Refspecs as git writes them, `[+]SOURCE[:TARGET]`: which refs of one repository become which
 * refs of another. Pure; fetch, push and the remote's configuration share it.
 *
 *   +refs/heads/*:refs/remotes/origin/*    every branch, forced
 *   main                                   fetched and not kept, or pushed under its own name
 *   fix:release/1                          pushed under another name
 *   :old                                   deleted at the other end (push only)
 */
import { DvError } from '../errors.ts';
import { BRANCH_PREFIX, checkRefName, REMOTE_PREFIX, TAG_PREFIX } from '../model/names.ts';

export interface Refspec {
  /** `+`: also where the target would not move forward. */
  readonly force: boolean;
  /** null: nothing, so the target is deleted. */
  readonly source: string | null;
  /** null: not given. */
  readonly target: string | null;
}

/** @throws DvError `bad-name` */
export function parseRefspec(text: string): Refspec {
  const force = text.startsWith('+');
  const body = force ? text.slice(1) : text;
  const colon = body.indexOf(':');
  const source = colon < 0 ? body : body.slice(0, colon);
  const target = colon < 0 ? null : body.slice(colon + 1);
  if (body === '' || body === ':') throw bad(text, 'names no ref');
  if (target?.includes(':')) throw bad(text, 'has more than one colon');
  const stars = [source, target ?? ''].map((part) => part.split('*').length - 1);
  if (Math.max(...stars) > 1) throw bad(text, "has more than one '*' on a side");
  if (source !== '' && target !== null && target !== '' && stars[0] !== stars[1]) {
    throw bad(text, "needs a '*' on both sides, or on neither");
  }
  for (const part of [source, target]) if (part) checkPattern(part, text);
  return { force, source: source === '' ? null : source, target: target === '' ? null : target };
}

/** A source may be any revision; what looks like a ref has to be one. */
function checkPattern(part: string, text: string): void {
  if (!part.startsWith('refs/')) return;
  try {
    checkRefName('branch', part.replace('*', 'x'));
  } catch (cause) {
    throw bad(text, `names '${part}', which is no ref`, cause);
  }
}

function bad(text: string, why: string, cause?: unknown): DvError {
  return new DvError('bad-name', `refspec '${text}' ${why}`, {
    hint: 'for example main, fix:release/1 or +refs/heads/*:refs/remotes/origin/*',
    data: { refspec: text },
    cause,
  });
}

export function formatRefspec({ force, source, target }: Refspec): string {
  return `${force ? '+' : ''}${source ?? ''}${target === null && source !== null ? '' : `:${target ?? ''}`}`;
}

/** What a fetch of everything from remote `name` keeps. */
export function defaultFetchSpec(name: string): Refspec {
  return { force: true, source: `${BRANCH_PREFIX}*`, target: `${REMOTE_PREFIX}${name}/*` };
}

/** What stands for `*` where `ref` matches `pattern`; undefined: it does not match. */
export function matchPattern(pattern: string, ref: string): string | undefined {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === ref ? '' : undefined;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  if (ref.length < before.length + after.length) return undefined;
  if (!ref.startsWith(before) || !ref.endsWith(after)) return undefined;
  return ref.slice(before.length, ref.length - after.length);
}

/** The ref that `ref` becomes; undefined: the refspec says nothing of it, or keeps nothing. */
export function mapRef({ source, target }: Refspec, ref: string): string | undefined {
  if (source === null || target === null) return undefined;
  const rest = matchPattern(source, ref);
  return rest === undefined ? undefined : target.replace('*', () => rest);
}

/** The other way round: the ref that `target` comes from. */
export function unmapRef({ source, target }: Refspec, ref: string): string | undefined {
  return mapRef({ force: false, source: target, target: source }, ref);
}

/** The one of `names` that a short name means, by git's order: as it is, tag, branch, remote. */
export function expandName(name: string, names: ReadonlySet<string>): string | undefined {
  const candidates = [name, `refs/${name}`, TAG_PREFIX + name, BRANCH_PREFIX + name];
  return [...candidates, REMOTE_PREFIX + name].find((candidate) => names.has(candidate));
}

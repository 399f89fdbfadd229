/** Requests from outside, held to the limits that were announced. */
import { DvError } from '../errors.ts';
import { isHash } from '../hash.ts';
import { checkPushedRef } from './judge-update.ts';
import type { FetchRequest, Limits, PushRequest } from './protocol.ts';

const STRATEGIES = ['ff-only', 'force', 'merge'];
const EDGE_KINDS = ['named', 'root', 'table', 'schema', 'tree', 'end', 'blob'];
export const MOST_UPDATES = 256;
const MOST_TABLES = 1024;
const MOST_SHALLOW = 65_536;

function over(what: string, found: number, limit: number): DvError {
  return new DvError('limit-exceeded', `${found} ${what} are more than the ${limit} allowed`, {
    data: { what, found, limit },
  });
}

function checkHashes(hashes: readonly string[] | undefined, what: string, limit: number): void {
  if (hashes === undefined) return;
  if (hashes.length > limit) throw over(what, hashes.length, limit);
  const wrong = hashes.find((hash) => !isHash(hash));
  if (wrong !== undefined) throw bad(`'${String(wrong).slice(0, 80)}' is no hash`);
}

const bad = (message: string): DvError => new DvError('bad-request', message);

/** @throws DvError `limit-exceeded`, `bad-request` */
export function checkFetchRequest(request: FetchRequest, limits: Limits): void {
  checkHashes(request.wants, 'wants', limits.wants);
  checkHashes(request.haves, 'haves', limits.haves);
  checkHashes(request.shallow, 'shallow commits', MOST_SHALLOW);
  const { roots = [], depth, tables = [], levels, maxBytes } = request;
  if (roots.length > limits.roots) throw over('roots', roots.length, limits.roots);
  for (const { kind, hash } of roots) {
    if (!EDGE_KINDS.includes(kind) || !isHash(hash)) throw bad('a root is no edge');
  }
  if (tables.length > MOST_TABLES) throw over('tables', tables.length, MOST_TABLES);
  if (tables.some((name) => typeof name !== 'string')) throw bad('a table name is no text');
  for (const [name, value] of Object.entries({ depth, maxBytes })) {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue;
    throw bad(`${name} is no positive number`);
  }
  if (levels !== undefined && levels !== 'all' && levels !== 'internal')
    throw bad('no such levels');
}

/** @throws DvError `bad-name`, `limit-exceeded`, `bad-request` */
export function checkPushRequest({ updates, atomic }: PushRequest): void {
  if (!Array.isArray(updates) || typeof atomic !== 'boolean') throw bad('a push has no updates');
  if (updates.length > MOST_UPDATES) throw over('updates', updates.length, MOST_UPDATES);
  const names = new Set<string>();
  for (const { ref, old, new: to, strategy } of updates) {
    if (typeof ref !== 'string') throw bad('a ref name is no text');
    checkPushedRef(ref);
    if (names.has(ref)) throw bad(`'${ref}' is updated twice`);
    names.add(ref);
    if (!STRATEGIES.includes(strategy)) throw bad(`'${strategy}' is no strategy`);
    for (const hash of [old, to]) {
      if (hash !== null && !isHash(hash)) throw bad(`'${String(hash).slice(0, 80)}' is no hash`);
    }
  }
}

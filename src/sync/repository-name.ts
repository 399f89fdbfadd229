/**
 * Names of repositories at a server, such as `data` or `team/data`, and where they are in a
 * URL: one segment, so that `/` is written `%2F` (docs/protocol.md). Part of the grammar of
 * all names: nothing that leaves the served directory, nothing hidden, nothing unprintable.
 */
import { DvError } from '../errors.ts';
import { checkTableName } from '../model/names.ts';

const MAX_BYTES = 200;

/** @throws DvError `bad-name` */
export function checkRepositoryName(name: string): string {
  const fail = (why: string): never => {
    const shown = JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
    throw new DvError('bad-name', `repository name ${shown} ${why}`, { data: { name } });
  };
  try {
    checkTableName(name);
  } catch {
    fail('is not a relative path of plain names');
  }
  if (Buffer.byteLength(name) > MAX_BYTES) fail(`has more than ${MAX_BYTES} bytes`);
  for (const segment of name.split('/')) {
    if (segment.startsWith('.')) fail("has a part that starts with '.'");
    if (segment.trim() !== segment) fail('has a part with a space at its end');
  }
  return name;
}

/** Where the paths of a repository begin: `/v1/repos/team%2Fdata`. */
export function repositoryPath(name: string): string {
  return `/v1/repos/${encodeURIComponent(name)}`;
}

/** The URL of a server that a command is about: typed, of a remote, or DV_REMOTE. */
import { DvError } from '../errors.ts';
import { configOf, DEFAULT_REMOTE, findRemote } from '../porcelain/remote-config.ts';
import type { Context } from './context.ts';
import { openRepositoryOf } from './open-repository.ts';

/** @throws DvError `bad-option` when it is no server */
export async function remoteUrl(context: Context, text: string | undefined): Promise<string> {
  const typed = text ?? context.environment.variables.DV_REMOTE;
  if (typed !== undefined && /^https?:\/\//i.test(typed)) return typed;
  const repo = await openRepositoryOf(context);
  const name = typed ?? DEFAULT_REMOTE;
  const url = findRemote(configOf(repo), name)?.url ?? name;
  if (/^https?:\/\//i.test(url)) return url;
  throw new DvError('bad-option', `'${name}' is no server`, {
    hint: 'name it by its URL, such as https://data.example.org/cities',
  });
}

/**
 * No two branches, and no two tags, differ only by case: on many file systems and in many
 * tools they would be one.
 */
import { DvError } from '../errors.ts';
import { foldName, shortRefName } from '../model/names.ts';
import type { Repository } from './repository.ts';

/**
 * `ref` in full; `leaving` is one that goes away in the same step.
 * @throws DvError `name-collision`
 */
export async function checkRefTwin(
  repo: Repository,
  prefix: string,
  ref: string,
  leaving?: string,
): Promise<void> {
  const folded = foldName(ref);
  for (const { name } of await repo.store.listRefs(prefix)) {
    if (name === ref || name === leaving || foldName(name) !== folded) continue;
    const [typed, other] = [shortRefName(ref), shortRefName(name)];
    throw new DvError('name-collision', `'${typed}' and '${other}' differ only by case`, {
      hint: `'${other}' exists; choose another name`,
      data: { names: [other, typed] },
    });
  }
}

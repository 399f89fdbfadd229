/**
 * A process to be killed: pulls two branches apart and brings them together again by merge,
 * rebase and cherry-pick, always with a conflict, and tells on standard output what `main` has
 * become, and when it begins. `node merge-worker.ts DIRECTORY SEED`
 */
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { merge } from '../../src/porcelain/merge.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { cherryPick } from '../../src/porcelain/pick.ts';
import { rebase } from '../../src/porcelain/rebase.ts';
import { headCommit } from '../../src/porcelain/repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { resolve } from '../../src/porcelain/resolve-choices.ts';
import { abortSequence, continueSequence } from '../../src/porcelain/sequence-resume.ts';
import { abortMerge } from '../../src/porcelain/settle-merge.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { CRASH_ENVIRONMENT } from './crash-environment.ts';

const [directory, seed] = [process.argv[2], Number(process.argv[3])];
const file = join(directory, 't.csv');

const repo = await openRepository(directory, CRASH_ENVIRONMENT);

/** A commit that sets the value of row 0, and of every hundredth row from `first` on. */
async function edit(value: string, first: number): Promise<void> {
  const [header, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const edited = rows.map((row, i) =>
    i === 0 || i % 100 === first ? `${row.slice(0, row.lastIndexOf(',') + 1)}${value}` : row,
  );
  writeFileSync(file, `${[header, ...edited].join('\n')}\n`);
  await add(repo, [file]);
  await commit(repo, { message: value });
}

const sayMain = async (): Promise<void> => {
  writeSync(1, `main ${await headCommit(repo)}\n`);
};

const takeTheirs = () => resolve(repo, { choice: { kind: 'side', side: 'theirs' } });

/** Each begins on `main` and ends there; `isGivenUp` after its conflict. */
const ways: readonly ((isGivenUp: boolean) => Promise<unknown>)[] = [
  async (isGivenUp) => {
    await merge(repo, ['side']);
    if (isGivenUp) return abortMerge(repo);
    await takeTheirs();
    return commit(repo, {});
  },
  async (isGivenUp) => {
    await cherryPick(repo, ['side']);
    if (isGivenUp) return abortSequence(repo, 'cherry-pick');
    await takeTheirs();
    return continueSequence(repo, 'cherry-pick');
  },
  async (isGivenUp) => {
    await switchTo(repo, 'side');
    await rebase(repo, 'main');
    if (isGivenUp) await abortSequence(repo, 'rebase');
    else {
      await takeTheirs();
      await continueSequence(repo, 'rebase');
    }
    await switchTo(repo, 'main');
    return isGivenUp ? undefined : merge(repo, ['side']);
  },
];

for (let turn = seed; ; turn++) {
  await switchTo(repo, 'side');
  await reset(repo, 'main', 'hard');
  await edit(`theirs ${turn}`, 1);
  await switchTo(repo, 'main');
  await edit(`ours ${turn}`, 2);
  await sayMain();
  writeSync(1, 'begin\n');
  await ways[turn % ways.length](turn % 4 === 3);
  await sayMain();
}

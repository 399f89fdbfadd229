/**
 * A process to be killed: works on a repository without pause, and tells on standard output
 * what it has finished. `node crash-worker.ts DIRECTORY SEED`
 */
import { renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { gc } from '../../src/porcelain/maintain.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { CRASH_ENVIRONMENT } from './crash-environment.ts';

const [directory, seed] = [process.argv[2], Number(process.argv[3])];

const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};

/** The file's rows at a version: a few thousand, all of them depending on it a little. */
function fileAt(version: number): string {
  const rows = Array.from({ length: 4000 }, (_, i) => {
    const value = i % 97 === version % 97 ? version : i;
    return `${i},name ${i},${value}`;
  });
  return `id,name,value\n${rows.join('\n')}\n`;
}

let random = seed * 2654435761;
const next = (below: number): number => {
  random = Math.imul(random ^ (random >>> 15), 2246822519) + 1;
  return (random >>> 8) % below;
};

const repo = await openRepository(directory, CRASH_ENVIRONMENT);
say('ready');
for (let version = seed * 1000; ; version++) {
  const file = join(directory, 't.csv');
  writeFileSync(`${file}.new`, fileAt(version));
  renameSync(`${file}.new`, file);
  await add(repo, [file]);
  const made = await commit(repo, { message: `version ${version}`, skipEmpty: true });
  say(`commit ${made.commit} ${made.branch}`);
  const action = next(4);
  if (action === 0) {
    await switchTo(repo, version % 2 === 0 ? 'left' : 'main');
    say('switch');
  } else if (action === 1) {
    await reset(repo, 'HEAD~1', 'hard');
    say('reset');
  } else if (action === 2) {
    await gc(repo, { grace: 0 });
    say('gc');
  }
}

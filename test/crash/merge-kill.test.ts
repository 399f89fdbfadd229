/**
 * kill -9 at random instants of merges, rebases, cherry-picks, resolutions and their giving
 * up: what was told stays in history, every byte is sound, and what was under way goes on to
 * its end or back to its beginning. `DV_KILLS` sets how often (default 12).
 * Every single write is tried in stopped-merges.test.ts.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseHash } from '../../src/hash.ts';
import { isAncestor } from '../../src/model/history.ts';
import { readMerge } from '../../src/model/merge-state.ts';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { exportBytes } from '../../src/porcelain/export.ts';
import { fsck } from '../../src/porcelain/maintain.ts';
import { resolve } from '../../src/porcelain/resolve-choices.ts';
import { readSequence } from '../../src/porcelain/sequence.ts';
import { abortSequence, continueSequence } from '../../src/porcelain/sequence-resume.ts';
import { abortMerge } from '../../src/porcelain/settle-merge.ts';
import { status } from '../../src/porcelain/status.ts';
import { Branched, csv } from '../support/branched.ts';
import { runAndKill } from '../support/killed-worker.ts';
import { bytesOf } from '../support/pack-frames.ts';

const KILLS = Number(process.env.DV_KILLS ?? 12);
const ROWS = 2000;

/** What is under way, brought to its end or back; answers what it was. */
async function settle({ repo }: Branched, isGivenUp: boolean): Promise<string> {
  const sequence = await readSequence(repo.store);
  const waiting = await readMerge(repo.store);
  if (!isGivenUp && waiting !== undefined && waiting.state.conflicts.length > 0) {
    await resolve(repo, { choice: { kind: 'side', side: 'theirs' } });
  }
  if (sequence !== undefined) {
    const { operation } = sequence.state;
    await (isGivenUp ? abortSequence(repo, operation) : continueSequence(repo, operation));
    return operation;
  }
  if (waiting === undefined) return 'none';
  await (isGivenUp ? abortMerge(repo) : commit(repo, {}));
  return 'merge';
}

test(
  `survives ${KILLS} kills`,
  async () => {
    const rows = Array.from({ length: ROWS }, (_, i) => `${i},name ${i},${i}`);
    await using scene = await Branched.open(csv('id,name,value', ...rows));
    await scene.fork('side');
    await scene.go('main');
    const underWay = new Map<string, number>();
    for (let kill = 0; kill < KILLS; kill++) {
      await scene.repo.close();
      const args = [scene.directory, String(Math.floor(Math.random() * 1000))];
      const said = await runAndKill('merge-worker.ts', args, 'begin', Math.random() * 150);
      const mains = [...said.matchAll(/^main (\S+)$/gm)].map(([, hash]) => hash);
      await scene.reopen();
      const { repo } = scene;
      for await (const problem of fsck(repo)) expect(problem).toBeUndefined();
      const was = await settle(scene, Math.random() < 0.5);
      underWay.set(was, (underWay.get(was) ?? 0) + 1);
      // A file that was written and not yet added is the next commit.
      if (!(await status(repo)).clean) {
        expect(was).toBe('none');
        await add(repo, [scene.path]);
        await commit(repo, { message: 'after the kill' });
      }
      expect(await scene.problems()).toEqual([]);
      expect(await bytesOf(await exportBytes(repo, 'HEAD:t.csv'))).toEqual(
        readFileSync(scene.path),
      );
      expect(readFileSync(scene.path, 'utf8').split('\n')).toHaveLength(ROWS + 2);
      const main = await repo.store.getRef('refs/heads/main');
      const last = mains[mains.length - 1];
      expect(main && (await isAncestor(repo.store, parseHash(last), main))).toBe(true);
    }
    console.info(`killed in ${JSON.stringify(Object.fromEntries(underWay))}`);
  },
  60_000 + KILLS * 10_000,
);

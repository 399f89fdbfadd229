/** Two commands that fetch the same at once: both get it, and each says that it is done. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { fsck } from '../../src/porcelain/maintain.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { bring } from '../../src/porcelain/transfer.ts';
import type { FetchRequest, Remote } from '../../src/sync/protocol.ts';
import { temporaryRepository } from '../support/repository.ts';
import { remoteOver, rows, Scene } from '../support/sync-scene.ts';

const MAIN = 'refs/remotes/origin/main';

test('two fetches of one thing at once', async () => {
  const scene = new Scene();
  const head = await scene.commit({
    tables: { t: rows(0, 60_000, () => randomBytes(40).toString('hex')) },
  });
  await using temporary = await temporaryRepository();
  const repos = [temporary.repo, await openRepository(temporary.directory, temporary.repo.env)];
  let waiting = 0;
  let release = (): void => {};
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  /** Has everything sent, and says so when the other one has, too. */
  const remote: Remote = Object.assign(Object.create(remoteOver(scene.store)), {
    async *fetch(request: FetchRequest) {
      yield* remoteOver(scene.store).fetch(request);
      waiting += 1;
      if (waiting === repos.length) release();
      await both;
    },
  });
  const brought = await Promise.all(
    repos.map((repo) =>
      bring(repo, remote, { wants: [head], haves: [] }, async () => {
        const old = (await repo.store.getRef(MAIN)) ?? null;
        return { refs: [{ name: MAIN, old, new: head }] };
      }),
    ),
  );
  expect(brought.some(({ chunks }) => chunks > 100)).toBe(true);
  expect(await temporary.repo.store.getRef(MAIN)).toBe(head);
  expect(await temporary.repo.store.listTransfers()).toEqual([]);
  expect(await temporary.repo.store.listState('transfer:')).toEqual([]);
  const problems: unknown[] = [];
  for await (const problem of fsck(temporary.repo)) problems.push(problem);
  expect(problems).toEqual([]);
  await repos[1].close();
});

/** fsck finds every kind of damage, and says what it affects; gc keeps what is reachable. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashOf } from '../../src/hash.ts';
import { checkRepository, type FsckProblem } from '../../src/model/fsck.ts';
import { readCommit, readTable } from '../../src/model/object-reader.ts';
import { encodeTable, toChunk } from '../../src/model/objects.ts';
import { editRoot, getRootEntry } from '../../src/model/root.ts';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { fsck, gc, storeStat } from '../../src/porcelain/maintain.ts';
import type { Repository } from '../../src/porcelain/repository.ts';
import { reset } from '../../src/porcelain/reset.ts';
import { NodeWriter } from '../../src/prolly/node-writer.ts';
import { temporaryRepository } from '../support/repository.ts';

const table = (mark: string): string =>
  `id,name,text\n${Array.from({ length: 5000 }, (_, i) => `${i},name ${i},${i === 7 ? mark : 'x'}`).join('\n')}\n`;

async function filled(repo: Repository, directory: string): Promise<void> {
  for (const mark of ['one', 'two']) {
    writeFileSync(join(directory, 't.csv'), table(mark));
    writeFileSync(join(directory, 'long.csv'), `id,text\n1,${mark.repeat(9000)}\n`);
    writeFileSync(join(directory, 'README.md'), `# ${mark}\n`);
    await add(repo, [directory]);
    await commit(repo, { message: mark });
  }
}

async function problems(source: AsyncIterable<FsckProblem>): Promise<FsckProblem[]> {
  const found: FsckProblem[] = [];
  for await (const problem of source) found.push(problem);
  return found;
}

describe('fsck', () => {
  test('is silent on a sound repository', async () => {
    await using temporary = await temporaryRepository();
    await filled(temporary.repo, temporary.directory);
    expect(await problems(fsck(temporary.repo))).toEqual([]);
  });

  test('finds each object that is missing, and names commit and table', async () => {
    await using temporary = await temporaryRepository();
    const { repo, directory } = temporary;
    await filled(repo, directory);
    const hashes = [];
    for await (const batch of repo.store.scan()) hashes.push(...batch.map(({ hash }) => hash));
    const refs = await repo.store.listRefs('');
    const roots = refs.map(({ name, hash }) => ({ kind: 'named' as const, hash, path: name }));
    let found = 0;
    for (const lost of hashes) {
      const store = {
        ...repo.store,
        scan: () => repo.store.scan(),
        check: () => repo.store.check(),
        startMarking: () => repo.store.startMarking(),
        hasMany: async (list: readonly string[]) => list.map((hash) => hash !== lost),
        getMany: async (list: Parameters<typeof repo.store.getMany>[0]) => {
          const chunks = await repo.store.getMany(list);
          return chunks.map((bytes, i) => (list[i] === lost ? undefined : bytes));
        },
      } as typeof repo.store;
      const list = (await problems(checkRepository(store, roots, () => {}))).filter(
        ({ affects }) => affects !== 'see below',
      );
      const named = list.filter(
        ({ object, problem }) => object === lost && /missing/.test(problem),
      );
      if (named.length > 0) found += 1;
      for (const { affects } of named) expect(affects).toMatch(/^(refs\/heads\/main|commit )/);
    }
    // Everything stored is reachable here.
    expect(found).toBe(hashes.length);
  }, 60_000);

  test('finds a forged node: wrong counts, wrong order, wrong boundaries', async () => {
    await using temporary = await temporaryRepository();
    const { repo, directory } = temporary;
    await filled(repo, directory);
    const [head] = await repo.store.listRefs('refs/heads/main');
    const { root } = await readCommit(repo.store, head.hash);
    const entry = await getRootEntry(repo.nodes, root, 't.csv');
    if (entry?.kind !== 'table') throw new Error('no table');
    const { schema, tree } = await readTable(repo.store, entry.table);
    const top = await repo.nodes.read(tree);
    expect(top.level).toBe(1);
    const forge = (change: (index: number) => number[]): Buffer => {
      const writer = new NodeWriter(1);
      for (let i = 0; i < top.count; i++) {
        for (const at of change(i)) writer.addChild(top.child(at), 0);
      }
      return writer.take().bytes;
    };
    const miscounted = new NodeWriter(1);
    for (let i = 0; i < top.count; i++) {
      const child = top.child(i);
      miscounted.addChild(i === 2 ? { ...child, rows: child.rows + 1 } : child, 0);
    }
    const forged: [Buffer, RegExp][] = [
      [miscounted.take().bytes, /rows, its parent says/],
      [forge((i) => [i === 1 ? 2 : i === 2 ? 1 : i]), /out of order/],
      [forge((i) => (i === top.count - 1 ? [] : [i])), /.*/],
    ];
    for (const [bytes, message] of forged.slice(0, 2)) {
      const node = toChunk(bytes);
      const forgedTable = toChunk(encodeTable({ schema, tree: node.hash }));
      await repo.store.putMany([node, forgedTable]);
      const changes = new Map([['t.csv', { ...entry, table: forgedTable.hash }]]);
      const forgedRoot = await editRoot(repo.nodes, root, changes);
      const sound = { kind: 'root' as const, hash: root, path: 'sound' };
      const other = { kind: 'root' as const, hash: forgedRoot, path: 'forged' };
      // Alone, and where all its children are known from a sound node.
      for (const roots of [[other], [sound, other]]) {
        const list = await problems(checkRepository(repo.store, roots, () => {}));
        expect(list.map(({ problem }) => problem).join()).toMatch(message);
        expect(list[0].affects).toBe("forged, 't.csv'");
      }
    }
  });

  test('finds bytes that do not have their hash', async () => {
    await using temporary = await temporaryRepository();
    const { repo, directory } = temporary;
    await filled(repo, directory);
    const wrong = hashOf(Buffer.from('something else'));
    await repo.store.putMany([{ hash: wrong, bytes: Buffer.from([7, 1, 2, 3]) }]);
    const list = await problems(fsck(repo));
    expect(list).toHaveLength(1);
    expect(list[0].object).toBe(wrong);
    expect(list[0].problem).toMatch(/is damaged|do not have its hash/);
  });
});

test('gc removes what nothing reaches, after the grace period, and nothing else', async () => {
  await using temporary = await temporaryRepository();
  const { repo, directory } = temporary;
  await filled(repo, directory);
  const before = (await storeStat(repo)).total.objects;
  expect(await gc(repo, { grace: 0 })).toMatchObject({ objects: 0, reachable: before });
  writeFileSync(join(directory, 't.csv'), table('abandoned'));
  await add(repo, [directory]);
  await reset(repo, 'HEAD', 'hard');
  const dry = await gc(repo, { grace: 0, dryRun: true });
  expect(dry.objects).toBeGreaterThan(0);
  expect((await storeStat(repo)).total.objects).toBe(before + dry.objects);
  expect(await gc(repo)).toMatchObject({ objects: 0 });
  expect(await gc(repo, { grace: 0 })).toMatchObject({ objects: dry.objects });
  expect((await storeStat(repo)).total.objects).toBe(before);
  expect(await problems(fsck(repo))).toEqual([]);
});

/**
 * A long history for benchmarks: commits on HEAD's branch that each change some rows of one
 * table with the integer key 1..n, made in process, the branch moved once at the end.
 *
 *   node test/bench/grow-history.ts DIRECTORY TABLE COMMITS ROWS_A_COMMIT [KEY TIMES]
 *
 * Commits go through the rows in the order of a full cycle, so that those of one commit are
 * scattered. KEY is left alone but by TIMES commits, spread evenly.
 */
import { pathToFileURL } from 'node:url';
import type { Hash } from '../../src/hash.ts';
import { buildBlob } from '../../src/model/blob.ts';
import { BRANCH_PREFIX } from '../../src/model/names.ts';
import { readSchema, readTable } from '../../src/model/object-reader.ts';
import { encodeTable, toChunk } from '../../src/model/objects.ts';
import { editRoot, getRootEntry } from '../../src/model/root.ts';
import { loadRow } from '../../src/model/table-diff.ts';
import { readWorkingSet } from '../../src/model/working-set.ts';
import { newCommit } from '../../src/porcelain/commit.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { type Edit, editTree } from '../../src/prolly/edit.ts';
import { countRows, getEntry } from '../../src/prolly/scan.ts';
import { encodeKey } from '../../src/tuple/key-codec.ts';
import { encodeRow } from '../../src/tuple/row-encoder.ts';
import { testEnvironment } from '../support/repository.ts';

export interface HistoryOptions {
  readonly commits: number;
  readonly rowsACommit: number;
  /** A row that only so many commits touch. */
  readonly rare?: { readonly key: number; readonly times: number };
}

const COLUMN = 5; // `count` of generate.ts
const STRIDE = 7919; // prime: a full cycle through any number of rows it does not divide

export async function growHistory(
  directory: string,
  table: string,
  { commits, rowsACommit, rare }: HistoryOptions,
): Promise<void> {
  const repo = await openRepository(directory, testEnvironment(Date.now()));
  const { nodes, store } = repo;
  const set = await readWorkingSet(store, nodes);
  if (set.head.kind !== 'branch' || set.head.commit === undefined) throw new Error('no branch');
  const entry = await getRootEntry(nodes, set.headRoot, table);
  if (entry?.kind !== 'table') throw new Error(`no table ${table}`);
  const first = await readTable(store, entry.table);
  const schema = await readSchema(store, first.schema);
  const total = await countRows(nodes, first.tree);
  const person = { name: 'Bench', email: 'bench@example.org', time: 0, zone: 0 };
  let { tree } = first;
  let root = set.headRoot;
  let head: Hash = set.head.commit;
  let at = 0;
  const editOf = async (id: number, commit: number): Promise<Edit> => {
    const key = encodeKey([String(id)], ['integer']);
    const value = await getEntry(nodes, tree, key);
    const row = [...(await loadRow(nodes, schema, key, value!))];
    row[COLUMN] = String(1000 + commit);
    return encodeRow(schema, row, (bytes) => buildBlob(bytes, (chunk) => nodes.put(chunk)));
  };
  for (let i = 0; i < commits; i++) {
    const ids = new Set<number>();
    const isRare = rare && (i * rare.times) % commits < rare.times;
    if (isRare) ids.add(rare.key);
    while (ids.size < rowsACommit) {
      at = (at + STRIDE) % total;
      if (at + 1 !== rare?.key) ids.add(at + 1);
    }
    const edits: Edit[] = [];
    for (const id of [...ids].sort((a, b) => a - b)) edits.push(await editOf(id, i));
    tree = await editTree(nodes, tree, [edits]);
    const chunk = toChunk(encodeTable({ schema: first.schema, tree }));
    nodes.put(chunk);
    root = await editRoot(nodes, root, new Map([[table, { ...entry, table: chunk.hash }]]));
    if (nodes.full) await nodes.flush();
    const time = repo.env.now();
    const by = { ...person, time };
    const made = await newCommit(repo, {
      root,
      parents: [head],
      author: by,
      committer: by,
      message: `commit ${i}`,
      extra: {},
    });
    await store.putMany([made]);
    head = made.hash;
  }
  await nodes.flush();
  const name = BRANCH_PREFIX + set.head.branch;
  const log = { actor: 'Bench', time: repo.env.now(), message: 'grown' };
  await store.transact({ refs: [{ name, old: set.head.commit, new: head }], log });
  await repo.close();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [directory, table, commits, rowsACommit, key, times] = process.argv.slice(2);
  await growHistory(directory, table, {
    commits: Number(commits),
    rowsACommit: Number(rowsACommit),
    ...(key !== undefined && { rare: { key: Number(key), times: Number(times) } }),
  });
}

/** What a pack's header says of how much follows, and what becomes of it as progress. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { bring, sendPush } from '../../src/porcelain/transfer.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { estimateWalk } from '../../src/sync/estimate.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import { sendPack } from '../../src/sync/sender.ts';
import { bytesOf, packEnds } from '../support/pack-frames.ts';
import { temporaryRepository, testEnvironment } from '../support/repository.ts';
import { RETRY, remoteOver, rows, Scene } from '../support/sync-scene.ts';

const step = fc.record({
  branch: fc.constantFrom('main', 'other'),
  from: fc.nat(3000),
  count: fc.nat(400),
  long: fc.boolean(),
  file: fc.option(fc.nat(300_000), { nil: undefined }),
});

describe('the header of a pack', () => {
  it('says how many chunks follow, and about their bytes, whatever is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.nat(5),
        fc.constantFrom('all', 'internal' as const),
        fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
        async (steps, had, levels, depth) => {
          const scene = new Scene();
          const commits: Hash[] = [];
          for (const [n, { branch, from, count, long, file }] of steps.entries()) {
            const text = (id: number) =>
              long && id % 90 === 0 ? `${id} ${n} `.repeat(4000) : `${n}`;
            const files: Record<string, Uint8Array> =
              file === undefined ? {} : { 'f.bin': randomBytes(file) };
            const plan = { branch, tables: { a: rows(from, from + count, text) }, files };
            commits.push(await scene.commit(plan));
          }
          const wants = (await scene.store.listRefs('')).map(({ hash }) => hash);
          const haves = commits.slice(had, had + 1);
          const request = { wants, haves, levels, ...(depth !== undefined && { depth }) };
          const pack = await bytesOf(sendPack(scene.store, request, { estimate: true }));
          const { header, trailer } = packEnds(pack);
          expect(header.chunks).toBe(trailer.chunks);
          // of commits, tables and schemas the size is not known
          const unknown = 300 * 5 * (steps.length + 1);
          const off = Math.abs((header.bytes ?? 0) - trailer.rawBytes);
          expect(off).toBeLessThanOrEqual(unknown);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('says what is left, when a part is asked for', async () => {
    const scene = new Scene();
    const want = await scene.commit({ tables: { a: rows(0, 9000) } });
    const store = createMemoryStore();
    const told: (number | undefined)[] = [];
    let came = 0;
    const remote = remoteOver(scene.store);
    const cut = Object.assign(Object.create(remote), {
      fetch: (request: object) => remote.fetch({ ...request, maxBytes: 30_000 }),
    });
    const onProgress = ({ chunks }: { chunks: number }) => {
      came = chunks;
    };
    const fetched = await fetchInto(cut, store, { wants: [want] }, { ...RETRY, onProgress });
    told.push(fetched.header?.chunks);
    expect(fetched.reception.packs).toBeGreaterThan(2);
    expect(told).toEqual([came]);
  });

  it('says about how much a long history is, of which only a part was walked', async () => {
    const scene = new Scene();
    for (let n = 0; n < 120; n++) {
      const plan = n === 0 ? rows(0, 4000) : rows(n * 30, n * 30 + 1, () => `${n}`);
      await scene.commit({ tables: { a: plan } });
    }
    const want = (await scene.head()) as Hash;
    const pack = await bytesOf(sendPack(scene.store, { wants: [want] }, { estimate: true }));
    const { header, trailer } = packEnds(pack);
    expect(header.chunks).toBe(trailer.chunks);
    const chunk = { hash: want, known: [], isInternal: false, bytes: 100 };
    let commits = 0;
    async function* walk() {
      for (commits = 1; commits <= 1000; commits++) {
        yield [chunk];
        yield Array.from({ length: commits === 1 ? 500 : 5 }, () => chunk);
      }
    }
    const items = { items: walk(), commits: () => commits };
    const estimate = await estimateWalk(items, 1000, 100);
    // 501 of the first, 6 of each other
    const exact = 501 + 999 * 6;
    expect(Math.abs((estimate?.chunks ?? 0) - exact)).toBeLessThan(exact / 10);
    expect(estimate?.bytes).toBeGreaterThan(exact * 90);
    commits = 1;
    async function* endless() {
      for (;;) yield [chunk];
    }
    const first = { items: endless(), commits: () => 1 };
    expect(await estimateWalk(first, 1000, 100)).toBeUndefined();
  });
});

describe('progress', () => {
  it('of a fetch and of a push tells how much of how much, and ends at all of it', async () => {
    const reports: { label: string; done: number; total: number | undefined }[] = [];
    const env = {
      ...testEnvironment(),
      report: (one: (typeof reports)[number]) => reports.push(one),
    };
    const scene = new Scene();
    const text = () => randomBytes(60).toString('hex');
    const head = await scene.commit({ tables: { t: rows(0, 60_000, text) } });
    await using temporary = await temporaryRepository(env as never);
    const { repo } = temporary;
    const ref = 'refs/remotes/origin/main';
    await bring(repo, remoteOver(scene.store), { wants: [head] }, async () => ({
      refs: [{ name: ref, old: null, new: head }],
    }));
    const there = createMemoryStore();
    const remote = remoteOver(there);
    const update = { ref: 'refs/heads/main', old: null, new: head, strategy: 'ff-only' } as const;
    await sendPush(repo, remote, { updates: [update], atomic: true }, await remote.refs());
    expect(await there.getRef('refs/heads/main')).toBe(head);
    for (const label of ['fetching', 'pushing']) {
      const told = reports.filter((one) => one.label === label && one.total !== undefined);
      expect(told.length).toBeGreaterThan(1);
      const totals = new Set(told.map(({ total }) => total));
      expect(totals.size).toBe(1);
      expect(told.at(-1)?.done).toBe(told.at(-1)?.total);
    }
  });
});

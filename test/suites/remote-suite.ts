/**
 * What every `Remote` promises, whatever lies between: over HTTP as within the process. A
 * place makes a remote over a store; `limits` are those of the other side.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { encodeTag, toChunk } from '../../src/model/objects.ts';
import type { Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { fetchInto } from '../../src/sync/fetch-into.ts';
import {
  DEFAULT_LIMITS,
  type Limits,
  type PushAnswer,
  type RefCommand,
  type Remote,
} from '../../src/sync/protocol.ts';
import { pushFrom } from '../../src/sync/push-from.ts';
import { sendPack } from '../../src/sync/sender.ts';
import { bytesOf, splitPack } from '../support/pack-frames.ts';
import { NOW, problems, RETRY, rows, Scene } from '../support/sync-scene.ts';

export interface RemotePlace {
  readonly remote: Remote;
  close(): Promise<void>;
}

/** The other side's clock stands at NOW + 1,000 s; its limits are small. */
export type MakeRemote = (
  store: Store & Maintenance,
  limits: Partial<Limits>,
) => Promise<RemotePlace>;

export const SUITE_LIMITS: Partial<Limits> = { pushSessions: 2, pushSessionMs: 3_600_000 };

export function remoteSuite(name: string, make: MakeRemote): void {
  describe(`a remote ${name}`, () => {
    let there: Scene;
    let here: Scene;
    let remote: Remote;
    let place: RemotePlace;
    beforeEach(async () => {
      there = new Scene();
      here = new Scene(createMemoryStore({ now: () => NOW }));
      place = await make(there.store, SUITE_LIMITS);
      remote = place.remote;
    });
    afterEach(async () => {
      await remote.close();
      await remote.close();
      await place.close();
    });

    /** Brings all branches of there here. */
    async function clone(): Promise<void> {
      const { refs } = await remote.refs('refs/heads/');
      const fetched = await fetchInto(
        remote,
        here.store,
        { wants: refs.map(({ hash }) => hash) },
        RETRY,
      );
      const moves = refs.map((ref) => ({ name: ref.name, old: null, new: ref.hash }));
      expect(await fetched.commit({ refs: moves })).toEqual({ done: true });
    }

    function command(to: Hash | null, more: Partial<RefCommand> = {}): RefCommand {
      return { ref: 'refs/heads/main', old: null, new: to, strategy: 'ff-only', ...more };
    }

    async function push(...updates: RefCommand[]) {
      return (await pushFrom(remote, here.store, { updates, atomic: false }, RETRY)).outcomes;
    }

    const main = () => there.store.getRef('refs/heads/main');

    it('says what it is', async () => {
      const info = await remote.info();
      expect(info.protocol).toContain(1);
      expect(info.limits.pushSessions).toBe(2);
      expect(info.clock.ms).toBeGreaterThanOrEqual(NOW);
      expect(info.node).toMatch(/^[0-9a-f]{8}$/);
    });

    it('lists branches and tags, with what annotated tags lead to', async () => {
      const empty = await remote.refs();
      expect(empty).toMatchObject({ head: 'refs/heads/main', refs: [] });
      expect(empty.cursor).toMatch(/^[0-9a-f]{16}\.0$/);
      const commit = await there.commit({ tables: { a: rows(0, 3) } });
      const tagger = { name: 'n', email: 'e', time: 1, zone: 0 };
      const tag = toChunk(encodeTag({ object: commit, name: 'v1', tagger, message: '' }));
      const refs = [
        { name: 'refs/tags/v1', old: null, new: tag.hash },
        { name: 'refs/remotes/x/main', old: null, new: commit },
      ];
      await there.store.transact({ refs }, [tag]);
      const { refs: found, cursor } = await remote.refs();
      expect(found).toEqual([
        { name: 'refs/heads/main', hash: commit },
        { name: 'refs/tags/v1', hash: tag.hash, peeled: commit },
      ]);
      expect(cursor).toMatch(/\.3$/);
      expect((await remote.refs('refs/tags/')).refs).toHaveLength(1);
      const fetched = await fetchInto(remote, here.store, { wants: [tag.hash] }, RETRY);
      await fetched.commit({ refs: [{ name: 'refs/tags/v1', old: null, new: tag.hash }] });
      expect(await problems(here.store)).toEqual([]);
    });

    it('sends what is asked for and not had', async () => {
      await there.commit({ tables: { a: rows(0, 2000) } });
      await clone();
      const next = await there.commit({ tables: { a: rows(5, 6, () => 'new') } });
      const haves = [(await here.head()) as Hash];
      const pack = splitPack(await bytesOf(remote.fetch({ wants: [next], haves })));
      // header; commit, root, table, the tree's top and one leaf; trailer
      expect(pack.map(({ type }) => type)).toEqual([1, 3, 3, 3, 3, 3, 6]);
    });

    it('refuses to send what it does not have, and requests over its limits', async () => {
      const hash = 'ab'.repeat(32) as Hash;
      const asking = bytesOf(remote.fetch({ wants: [hash] }));
      await expect(asking).rejects.toMatchObject({ code: 'unknown-ref' });
      const wants = Array.from({ length: 65 }, () => hash);
      await expect(bytesOf(remote.fetch({ wants }))).rejects.toMatchObject({
        code: 'limit-exceeded',
      });
      const bad = bytesOf(remote.fetch({ wants: ['x' as Hash] }));
      await expect(bad).rejects.toMatchObject({ code: 'bad-request' });
    });

    it('takes a small push in one request', async () => {
      const first = await here.commit({ tables: { a: rows(0, 10) } });
      const calls = counting(remote);
      const request = { updates: [command(first)], atomic: true };
      const refs = await remote.refs();
      const pushed = await pushFrom(calls.remote, here.store, request, { ...RETRY, refs });
      expect(pushed.outcomes).toEqual([{ ref: 'refs/heads/main', status: 'ok', hash: first }]);
      expect(calls.names).toEqual(['push']);
      expect(pushed.cursor).toMatch(/\.1$/);
      expect(await main()).toBe(first);
      expect(await problems(there.store)).toEqual([]);
      const [entry] = await there.store.readLog('refs/heads/main', 1);
      expect(entry).toMatchObject({ new: first, message: 'push' });
      expect(entry.actor).not.toBe('');
    });

    it('refuses to move a ref that is elsewhere, or not forward', async () => {
      const first = await there.commit({ tables: { a: rows(0, 10) } });
      await clone();
      const second = await here.commit({ tables: { a: rows(3, 4, () => 'mine') } });
      const theirs = await there.commit({ tables: { a: rows(7, 8, () => 'theirs') } });
      expect(await push(command(second, { old: first }))).toMatchObject([
        { status: 'refused', code: 'ref-moved', head: theirs },
      ]);
      const before = await problems(there.store);
      expect(await push(command(second, { old: theirs }))).toMatchObject([
        { status: 'refused', code: 'not-fast-forward', head: theirs },
      ]);
      expect(await main()).toBe(theirs);
      expect(await problems(there.store)).toEqual(before);
      const forced = command(second, { old: theirs, strategy: 'force' });
      expect(await push(forced)).toMatchObject([{ status: 'ok', hash: second }]);
      expect(await main()).toBe(second);
    });

    it('merges what two pushed, by the rules of the table', async () => {
      const first = await there.commit({ tables: { a: rows(0, 3000) } });
      await clone();
      const theirs = await there.commit({ tables: { a: rows(7, 8, () => 'theirs') } });
      const ours = await here.commit({ tables: { a: rows(2900, 2901, () => 'mine') } });
      const [outcome] = await push(command(ours, { old: first, strategy: 'merge' }));
      expect(outcome).toMatchObject({ status: 'merged' });
      expect(await problems(there.store)).toEqual([]);
      const merged = (await main()) as Hash;
      expect(merged).toBe((outcome as { hash: Hash }).hash);
      const fetched = await fetchInto(
        remote,
        here.store,
        { wants: [merged], haves: [ours] },
        RETRY,
      );
      await fetched.commit({ refs: [{ name: 'refs/remotes/o/main', old: null, new: merged }] });
      expect(await problems(here.store)).toEqual([]);
      expect(theirs).not.toBe(merged);
      const again = await push(command(ours, { old: first, strategy: 'merge' }));
      expect(again).toMatchObject([{ status: 'ok', hash: merged }]);
    });

    it('tells the conflicts of a merge, and moves nothing', async () => {
      const first = await there.commit({ tables: { a: rows(0, 10) } });
      await clone();
      const theirs = await there.commit({ tables: { a: rows(7, 8, () => 'theirs') } });
      const ours = await here.commit({ tables: { a: rows(7, 8, () => 'mine') } });
      const [outcome] = await push(command(ours, { old: first, strategy: 'merge' }));
      const conflict = {
        table: 'a',
        key: ['7'],
        column: 'name',
        base: 'name 7',
        ours: 'theirs',
        theirs: 'mine',
      };
      expect(outcome).toMatchObject({
        status: 'refused',
        code: 'conflicts-left',
        head: theirs,
        data: { count: 1, conflicts: [conflict] },
      });
      expect(await main()).toBe(theirs);
    });

    it('deletes when the ref is where it was seen', async () => {
      const first = await there.commit({ tables: { a: rows(0, 3) } });
      const wrong = command(null, { old: 'ab'.repeat(32) as Hash });
      expect(await push(wrong)).toMatchObject([{ status: 'refused', code: 'ref-moved' }]);
      expect(await push(command(null, { old: first }))).toMatchObject([
        { status: 'ok', hash: null },
      ]);
      expect(await main()).toBeUndefined();
      expect(await push(command(null))).toMatchObject([{ status: 'ok', hash: null }]);
    });

    it('moves all refs or none when told so, and else what it can', async () => {
      const first = await here.commit({ tables: { a: rows(0, 3) } });
      await there.commit({ branch: 'taken', tables: { b: rows(0, 3) } });
      const updates = [command(first), command(first, { ref: 'refs/heads/taken' })];
      const all = await pushFrom(remote, here.store, { updates, atomic: true }, RETRY);
      expect(all.outcomes).toMatchObject([
        { status: 'refused', code: 'push-refused' },
        { status: 'refused', code: 'ref-moved' },
      ]);
      expect(await main()).toBeUndefined();
      const some = await pushFrom(remote, here.store, { updates, atomic: false }, RETRY);
      expect(some.outcomes).toMatchObject([{ status: 'ok' }, { status: 'refused' }]);
      expect(await main()).toBe(first);
    });

    it('moves branches and tags only, and branches to commits only', async () => {
      const first = await here.commit({ tables: { a: rows(0, 3) } });
      for (const ref of ['refs/remotes/o/main', 'HEAD', 'refs/heads/../x', 'refs/heads/a b']) {
        const request = { updates: [command(first, { ref })], atomic: true };
        await expect(remote.push(request)).rejects.toMatchObject({ code: 'bad-name' });
      }
      const tagger = { name: 'n', email: 'e', time: 1, zone: 0 };
      const tag = toChunk(encodeTag({ object: first, name: 'v1', tagger, message: '' }));
      await here.store.putMany([tag]);
      expect(await push(command(tag.hash))).toMatchObject([{ code: 'push-refused' }]);
      const tagging = command(tag.hash, { ref: 'refs/tags/v1' });
      expect(await push(tagging)).toMatchObject([{ status: 'ok', hash: tag.hash }]);
      const moved = command(first, { ref: 'refs/tags/v1', old: tag.hash });
      expect(await push(moved)).toMatchObject([{ code: 'already-exists' }]);
    });

    it('refuses commits of a clock that is ahead', async () => {
      const first = await here.commit({ tables: { a: rows(0, 3) }, time: NOW + 1_100_000 });
      expect(await push(command(first))).toMatchObject([
        { status: 'refused', code: 'clock-ahead' },
      ]);
      expect(await main()).toBeUndefined();
      expect(await chunksOf(there.store)).toBe(0);
    });

    it('asks for what a pack does not bring, and stores nothing meanwhile', async () => {
      await here.commit({ tables: { a: rows(0, 3) } });
      const second = await here.commit({ tables: { a: rows(0, 1, () => 'x') } });
      const request = { updates: [command(second)], atomic: true };
      const answer = await remote.push(request);
      expect(answer).toEqual({ kind: 'incomplete', pending: [{ kind: 'named', hash: second }] });
      const part = await bytesOf(sendPack(here.store, { wants: [second], depth: 1 }));
      const partly = (await remote.push(request, part)) as PushAnswer & { kind: 'incomplete' };
      expect(partly.pending.map(({ kind }) => kind)).toEqual(['named']);
      expect(await chunksOf(there.store)).toBe(0);
    });

    describe('push in segments', () => {
      let head: Hash;
      let packs: Buffer[];
      beforeEach(async () => {
        await here.commit({ tables: { a: rows(0, 4000) } });
        head = await here.commit({ tables: { a: rows(0, 1, () => 'x') } });
        packs = [];
      });

      const request = () => ({ updates: [command(head)], atomic: true });

      it('goes on where it was, and takes a segment once', async () => {
        let session = await remote.openPush(request());
        expect(session).toMatchObject({ next: 0, pending: [{ kind: 'named', hash: head }] });
        while (session.pending.length > 0) {
          const { pending: roots, id, next } = session;
          const pack = await bytesOf(
            sendPack(here.store, { wants: [head], roots, maxBytes: 20_000 }),
          );
          packs.push(pack);
          session = await remote.putSegment(id, next, pack);
          expect(session.next).toBe(next + 1);
          expect(await remote.putSegment(id, next, pack)).toEqual(session);
          expect(await remote.getPush(id)).toEqual(session);
          const present = await there.store.hasMany([head]);
          expect(present).toEqual([false]);
        }
        expect(packs.length).toBeGreaterThan(2);
        const answer = await remote.commitPush(session.id);
        expect(answer).toMatchObject({ kind: 'done', outcomes: [{ status: 'ok', hash: head }] });
        expect(await remote.commitPush(session.id)).toMatchObject({ outcomes: [{ status: 'ok' }] });
        expect(await main()).toBe(head);
        expect(await problems(there.store)).toEqual([]);
        expect(await there.store.listTransfers()).toEqual([]);
      });

      it('is not over before everything is there', async () => {
        const { id } = await remote.openPush(request());
        expect(await remote.commitPush(id)).toMatchObject({ kind: 'incomplete' });
        expect(await main()).toBeUndefined();
      });

      it('is refused out of turn, or unknown', async () => {
        const { id } = await remote.openPush(request());
        const pack = await bytesOf(sendPack(here.store, { wants: [head], maxBytes: 1 }));
        await expect(remote.putSegment(id, 1, pack)).rejects.toMatchObject({
          code: 'push-refused',
        });
        const unknown = 'ab'.repeat(16);
        expect(await remote.getPush(unknown)).toBeUndefined();
        const put = remote.putSegment(unknown, 0, pack);
        await expect(put).rejects.toMatchObject({ code: 'unknown-session' });
        await remote.abandonPush(id);
        await remote.abandonPush(id);
        expect(await remote.getPush(id)).toBeUndefined();
        await remote.openPush(request());
      });

      it('gives way to a newer one of the same caller when it has been idle for longest', async () => {
        const open = (branch: string) =>
          remote.openPush({
            updates: [command(head, { ref: `refs/heads/${branch}` })],
            atomic: false,
          });
        const pack = await bytesOf(sendPack(here.store, { wants: [head], maxBytes: 9000 }));
        const first = await open('a');
        await remote.putSegment(first.id, 0, pack);
        const kept = await chunksOf(there.store);
        const second = await open('b');
        const third = await open('c');
        const opened = [first, second, third].map(({ id }) => id);
        const left = await Promise.all(opened.map((id) => remote.getPush(id)));
        expect(left.map((session) => session?.id)).toEqual([undefined, second.id, third.id]);
        expect(kept).toBeGreaterThan(0);
        expect(await chunksOf(there.store)).toBe(0);
        const late = remote.putSegment(first.id, 1, pack);
        await expect(late).rejects.toMatchObject({ code: 'unknown-session' });
        const commit = remote.commitPush(first.id);
        await expect(commit).rejects.toMatchObject({ code: 'unknown-session' });
        expect(await chunksOf(there.store)).toBe(0);
      });

      it('begins anew by itself when it had to give way', async () => {
        let puts = 0;
        const { putSegment } = remote;
        remote.putSegment = async (id, number, segment) => {
          puts += 1;
          for (const branch of puts === 3 ? ['a', 'b'] : []) {
            const updates = [command(head, { ref: `refs/heads/${branch}` })];
            await remote.openPush({ updates, atomic: false });
          }
          return putSegment.call(remote, id, number, segment);
        };
        const limits = { ...DEFAULT_LIMITS, inlinePackBytes: 1, segmentBytes: 530_000 };
        const options = { ...RETRY, limits };
        const pushed = await pushFrom(remote, here.store, request(), options);
        expect(pushed.outcomes).toEqual([{ ref: 'refs/heads/main', status: 'ok', hash: head }]);
        expect(puts).toBeGreaterThan(4);
        expect(await main()).toBe(head);
        expect(await problems(there.store)).toEqual([]);
      });

      it('is gone on with by whoever lost its name and asks for the same', async () => {
        const { id } = await remote.openPush(request());
        const pack = await bytesOf(sendPack(here.store, { wants: [head], maxBytes: 9000 }));
        const { pending } = await remote.putSegment(id, 0, pack);
        expect(await remote.openPush(request())).toEqual({ id, next: 1, pending });
      });

      it('leaves nothing when it is abandoned', async () => {
        const { id } = await remote.openPush(request());
        const pack = await bytesOf(sendPack(here.store, { wants: [head], maxBytes: 9000 }));
        await remote.putSegment(id, 0, pack);
        expect(await chunksOf(there.store)).toBeGreaterThan(0);
        await remote.abandonPush(id);
        expect(await chunksOf(there.store)).toBe(0);
      });

      it('refuses a damaged segment and can be gone on with', async () => {
        const { id } = await remote.openPush(request());
        const pack = await bytesOf(sendPack(here.store, { wants: [head] }));
        const damaged = Buffer.from(pack);
        damaged[pack.length >> 1] ^= 1;
        await expect(remote.putSegment(id, 0, damaged)).rejects.toMatchObject({ code: 'bad-pack' });
        const session = await remote.putSegment(id, 0, pack);
        expect(session).toMatchObject({ next: 1, pending: [] });
        expect(await remote.commitPush(id)).toMatchObject({ outcomes: [{ status: 'ok' }] });
        expect(await problems(there.store)).toEqual([]);
      });
    });

    it('lets many push to one branch at once; none is lost', async () => {
      await there.commit({ tables: { a: rows(0, 500) } });
      const pushers = await Promise.all(
        Array.from({ length: 8 }, async (_, n) => {
          const scene = new Scene();
          const { refs } = await remote.refs();
          const base = refs[0].hash;
          const fetched = await fetchInto(remote, scene.store, { wants: [base] }, RETRY);
          await fetched.commit({ refs: [{ name: 'refs/heads/main', old: null, new: base }] });
          const commit = await scene.commit({
            tables: { a: rows(n * 50, n * 50 + 1, () => `by ${n}`) },
            message: `${n}`,
          });
          const updates = [command(commit, { old: base, strategy: 'merge' })];
          const { outcomes } = await pushFrom(
            remote,
            scene.store,
            { updates, atomic: true },
            RETRY,
          );
          expect(['ok', 'merged']).toContain(outcomes[0].status);
          return commit;
        }),
      );
      const head = (await main()) as Hash;
      const { isAncestor } = await import('../../src/model/history.ts');
      for (const commit of pushers) expect(await isAncestor(there.store, commit, head)).toBe(true);
      expect(await problems(there.store)).toEqual([]);
    });
  });
}

async function chunksOf(store: Store & Maintenance): Promise<number> {
  let found = 0;
  for await (const batch of store.scan()) found += batch.length;
  return found;
}

/** Notes which methods are called. */
function counting(remote: Remote): { remote: Remote; names: string[] } {
  const names: string[] = [];
  const handler: ProxyHandler<Remote> = {
    get(target, name) {
      const value = target[name as keyof Remote];
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        names.push(String(name));
        return (value as (...all: unknown[]) => unknown).apply(target, given);
      };
    },
  };
  return { remote: new Proxy(remote, handler), names };
}

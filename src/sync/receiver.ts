/**
 * The receiving half: packs into a store, where nothing is believed.
 *
 * The receiver begins with what it asked for. It takes a chunk only when one that it verified
 * before named it (the *pending* set), and only when its hash, its form and everything that
 * the parent says of it hold (expectation.ts); what the chunk names in turn is pending then.
 * So nothing unasked-for is ever kept, and when nothing is pending any more, everything that
 * the wants reach is here. After a cut the pending set is what to ask for.
 *
 *   1. A child that is whole in the store is not pending: all it reaches is here.
 *   2. One that an unfinished transfer brought is taken from there, and looked through.
 *   3. Children that the node at the same place of a tree that is here says the same of need no
 *      look-up (vouching.ts). That makes the cost follow the change.
 *
 * A small pack stays in memory, for one transaction with the refs that need it; more goes into
 * the store under the transfer's name (received-chunks.ts).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { COMMIT_KIND, decodeCommit, decodeSchema } from '../model/objects.ts';
import { NodeStore } from '../prolly/node-store.ts';
import { loadCompression } from '../store/compression.ts';
import type { ObjectStore, StateUpdate, Store } from '../store/contract.ts';
import type { EncodedChunk, Presence, ReceivedChunk } from '../store/transfer.ts';
import { EntryChecker } from '../tuple/check-entry.ts';
import { Counterparts } from './counterparts.ts';
import { ChunkDecoder } from './decode-chunk.ts';
import { decodedNode } from './decoded-node.ts';
import {
  checkChunk,
  type Expectation,
  expectedBelow,
  type ReceptionFilter,
} from './expectation.ts';
import { HashSet } from './hash-set.ts';
import type { PackHeader, PackTrailer } from './pack.ts';
import { asBadPack, badPack, type Frame, PackReader } from './pack-reader.ts';
import { PendingSet } from './pending-set.ts';
import { ReceivedChunks } from './received-chunks.ts';
import type { ReceivedPack, ReceiverOptions, Reception } from './reception.ts';
import { remoteError } from './remote-error.ts';
import { checkRootNames } from './root-names.ts';
import { type BroughtClock, laterClock } from './taken-clocks.ts';
import { mayVouch, samples, unvouchedChildren, vouchedParts } from './vouching.ts';

export type { ReceivedPack, ReceiverOptions, Reception };

/** Frames between two turns of the event loop. */
const TURN = 64;
const MOST_SCHEMAS = 64;
/** More are never under way: chunks come commit by commit. */
const MOST_COMMITS = 64;

type Counts = { -readonly [K in keyof Reception]: Reception[K] };

export class Receiver {
  readonly transfer: string;
  private readonly store: Store;
  private readonly options: ReceiverOptions;
  private readonly pending = new PendingSet();
  /** Chunks that this receiver has looked through. */
  private readonly seen = new HashSet();
  private readonly received: ReceivedChunks;
  private readonly counterparts: Counterparts;
  /** By the hash of a schema. */
  private readonly checkers = new Map<Hash, EntryChecker>();
  private readonly shallow: Set<Hash>;
  private readonly filter: ReceptionFilter;
  /** Whole in the store and counted on, not through a parent that is. */
  private readonly relied = new Set<Hash>();
  /** Roots of several leaves. */
  private readonly tallRoots = new Set<Hash>();
  /** Of the commits that came last: those that named them. */
  private readonly children = new Map<Hash, readonly Hash[]>();
  private readonly count: Counts = { packs: 0, chunks: 0, rawBytes: 0, bytes: 0, ignored: 0 };
  /** The latest clock of a commit that came. */
  latest: BroughtClock | undefined;

  constructor(store: Store, options: ReceiverOptions) {
    this.store = store;
    this.options = options;
    this.transfer = options.transfer;
    this.received = new ReceivedChunks(store, options.transfer, options.lease);
    this.counterparts = new Counterparts(this.overlay(), (hash) => this.isHere(hash));
    this.shallow = new Set(options.shallow);
    this.filter = {
      shallow: this.shallow,
      leaves: options.levels !== 'internal',
      ...(options.tables === undefined ? {} : { tables: new Set(options.tables) }),
    };
  }

  get counts(): Reception {
    return this.count;
  }

  /** Whether chunks of this transfer are in the store: then a transaction must complete it. */
  get spilled(): boolean {
    return this.received.spilled;
  }

  get pendingCount(): number {
    return this.pending.size;
  }

  /** What is still wanted. */
  frontier(limit = Number.POSITIVE_INFINITY): Expectation[] {
    return this.pending.frontier(limit);
  }

  /**
   * Commits of which parts are pending; and those that came whole but for their parents, next
   * to them or to what is pending.
   */
  commitsUnderWay(): { readonly under: Hash[]; readonly whole: Hash[] } {
    const { under, naming } = this.pending.commits();
    const near = [...naming, ...under.flatMap((hash) => this.children.get(hash) ?? [])];
    return { under, whole: [...new Set(near)].filter((hash) => !under.includes(hash)) };
  }

  /** Verified chunks that are not in the store: for the transaction that needs them. */
  get chunks(): ReceivedChunk[] {
    return this.received.inMemory();
  }

  /** Commits whose parents are not here when this is over. */
  get shallowCommits(): Hash[] {
    return [...this.shallow].sort();
  }

  /** The store with what has come before it; what is put stays in memory. */
  overlay(): ObjectStore {
    return this.received.overlay();
  }

  /** Goes into the transaction that completes the transfer. */
  leaseEnd(): StateUpdate[] {
    return this.options.lease?.end() ?? [];
  }

  /** Puts what is in memory into the store, under the transfer's name. */
  spill = (): Promise<void> => this.received.spill();

  /**
   * Objects wanted. What an earlier run of the transfer brought is looked through, so that
   * the frontier is what it was. @throws DvError `corrupt`, `missing-object`
   */
  async expect(wanted: readonly Expectation[]): Promise<void> {
    await this.settle(wanted);
    await this.received.settle();
  }

  /** Commits whose parents come from now on. */
  async deepen(commits: readonly Hash[]): Promise<void> {
    for (const hash of commits) {
      this.shallow.delete(hash);
      const bytes = await this.received.get(hash);
      if (bytes === undefined) continue;
      await this.settle(expectedBelow({ kind: 'named', hash }, bytes, this.filter));
    }
    await this.received.settle();
  }

  /**
   * Takes one pack.
   * @throws DvError `bad-pack`; `connection-lost` when it was cut; what the sender reports
   */
  async receive(
    pack: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    onHeader?: (header: PackHeader) => void | Promise<void>,
  ): Promise<ReceivedPack> {
    const reader = new PackReader();
    const decoder = new ChunkDecoder(loadCompression());
    const inPack = new HashSet();
    let header: PackHeader | undefined;
    let trailer: PackTrailer | undefined;
    let frames = 0;
    for await (const bytes of pack) {
      this.count.bytes += bytes.length;
      for (const frame of reader.push(bytes)) {
        if (frame.type === 'header') {
          header = frame.header;
          this.takeShallow(header);
          await onHeader?.(header);
        } else if (frame.type === 'trailer') trailer = frame.trailer;
        else await this.take(frame, decoder, inPack);
        if (++frames % TURN === 0) await nextTurn();
      }
    }
    reader.end();
    await this.received.settle();
    if (header === undefined || trailer === undefined) throw badPack('it has no header');
    this.count.packs += 1;
    return { header, trailer };
  }

  /** Whether all that was counted on is still here: a gc may have passed. */
  async stillThere(): Promise<boolean> {
    const relied = [...this.relied];
    for (let at = 0; at < relied.length; at += 1024) {
      const presence = await this.store.presence(relied.slice(at, at + 1024));
      if (presence.some((one) => one !== 'complete')) return false;
    }
    return true;
  }

  /** Names that differ by case only in roots of several leaves. @throws DvError `bad-pack` */
  async checkRoots(): Promise<void> {
    const nodes = new NodeStore(this.overlay());
    for (const root of this.tallRoots) {
      try {
        await checkRootNames(nodes, root);
      } catch (error) {
        throw asBadPack(root, error);
      }
    }
    this.tallRoots.clear();
  }

  private takeShallow({ shallow }: PackHeader): void {
    if (!this.options.acceptShallow) return;
    for (const hash of shallow) this.shallow.add(hash);
  }

  private async take(frame: Frame, decoder: ChunkDecoder, inPack: HashSet): Promise<void> {
    if (frame.type === 'error') throw remoteError(frame.error);
    if (frame.type === 'dictionary') {
      const { dictionary } = frame;
      this.received.keepDictionary(dictionary.hash, decoder.addFrame(dictionary));
      return;
    }
    if (frame.type !== 'chunk') return;
    const { hash } = frame.chunk;
    if (!inPack.add(hash)) throw badPack(`chunk ${hash} comes twice`);
    const expected = this.pending.get(hash);
    if (expected === undefined) return this.ignore(hash);
    const bytes = await this.decode(frame.chunk, decoder);
    try {
      await this.verify(expected, bytes);
      const like = frame.chunk.form.kind === 'delta' ? frame.chunk.form.base : frame.like;
      this.pending.delete(hash);
      this.keep(expected[0], { hash, bytes, encoded: frame.chunk, ...(like && { like }) });
      if (expected[0].kind === 'named') this.noteChildren(hash, expected);
      this.count.chunks += 1;
      this.count.rawBytes += bytes.length;
      await this.settle(await this.below(expected, bytes, like));
    } catch (error) {
      throw asBadPack(hash, error);
    }
    this.options.onChunk?.(this.count);
    if (this.received.isFull) await this.received.startSpilling();
  }

  /** A chunk nobody waits for is no harm when it is here anyway. */
  private async ignore(hash: Hash): Promise<void> {
    const [presence] = this.seen.has(hash) ? ['complete'] : await this.store.presence([hash]);
    if (presence === 'absent') throw badPack(`nobody asked for chunk ${hash}`);
    this.count.ignored += 1;
  }

  private async decode(chunk: EncodedChunk, decoder: ChunkDecoder): Promise<Uint8Array> {
    const { form } = chunk;
    if (form.kind === 'shared' && !decoder.hasDictionary(form.dictionary)) {
      const bytes = await this.store.getDictionary(form.dictionary);
      if (bytes !== undefined) decoder.addDictionary(form.dictionary, bytes);
    }
    const base = form.kind === 'delta' ? await this.received.get(form.base) : undefined;
    return decoder.decode(chunk, base);
  }

  /** Holds a chunk to everything that is expected of it. */
  private async verify(expected: readonly Expectation[], bytes: Uint8Array): Promise<void> {
    for (const one of expected) {
      const isLeaf = one.schema !== undefined && bytes[2] === 0;
      checkChunk(one, bytes, isLeaf ? await this.checkerFor(one.schema as Hash) : undefined);
    }
  }

  private async checkerFor(schema: Hash): Promise<EntryChecker> {
    const known = this.checkers.get(schema);
    if (known !== undefined) return known;
    const bytes = this.pending.has(schema) ? undefined : await this.received.get(schema);
    if (bytes === undefined) throw badPack('rows come before their schema');
    const checker = new EntryChecker(decodeSchema(bytes));
    if (this.checkers.size >= MOST_SCHEMAS) this.checkers.clear();
    this.checkers.set(schema, checker);
    return checker;
  }

  private keep(expected: Expectation, chunk: ReceivedChunk): void {
    const { hash, bytes } = chunk;
    this.seen.add(hash);
    this.received.keep(chunk);
    if (expected.kind === 'root' && expected.top && bytes[2] > 0) this.tallRoots.add(hash);
    if (expected.kind !== 'named' || bytes[0] !== COMMIT_KIND) return;
    this.latest = laterClock(this.latest, { commit: hash, ...decodeCommit(bytes).clock });
  }

  /** A commit that several name is met once by each. */
  private noteChildren(hash: Hash, expected: readonly Expectation[]): void {
    const known = this.children.get(hash) ?? [];
    for (const oldest of this.children.keys()) {
      if (this.children.size < MOST_COMMITS) break;
      this.children.delete(oldest);
    }
    const naming = expected.flatMap(({ commit }) => commit ?? []);
    this.children.set(hash, [...new Set([...known, ...naming])]);
  }

  /** What the chunk leads to, without what a node at its place vouches for (case 3). */
  private async below(
    expected: readonly Expectation[],
    bytes: Uint8Array,
    like: Hash | undefined,
  ): Promise<Expectation[]> {
    const below: Expectation[] = [];
    for (const one of expected) {
      const children = await this.unvouched(one, bytes, like);
      const plain = expectedBelow(one, bytes, this.filter, children);
      const placed = await this.counterparts.place(one, bytes, plain);
      if (one.kind !== 'blob') below.push(...placed);
      else {
        const vouched = await this.vouchedParts(one.beside, bytes);
        below.push(...placed.filter(({ hash, size }) => vouched.get(hash) !== size));
      }
    }
    return below;
  }

  /**
   * Children that no node which is whole here, or was looked through, vouches for; undefined:
   * there is no such node.
   */
  private async unvouched(
    { kind, beside, mustEnd = false }: Expectation,
    bytes: Uint8Array,
    like: Hash | undefined,
  ): Promise<readonly number[] | undefined> {
    const vouching = beside ?? like;
    const isInternal = (kind === 'root' || kind === 'tree') && bytes[2] > 0;
    if (vouching === undefined || !isInternal || !(await this.isHere(vouching))) return undefined;
    const known = await this.received.get(vouching);
    if (!mayVouch(known, bytes, beside !== undefined)) return undefined;
    const knownNode = decodedNode(known);
    if (!this.seen.has(vouching) && knownNode.count > 1) this.relied.add(vouching);
    return unvouchedChildren(knownNode, decodedNode(bytes), mustEnd);
  }

  private async vouchedParts(
    index: Hash | undefined,
    bytes: Uint8Array,
  ): Promise<ReadonlyMap<Hash, number>> {
    if (index === undefined || !(await this.isHere(index))) return new Map();
    const parts = vouchedParts(await this.received.get(index), bytes);
    if (!this.seen.has(index) && parts.size > 0) this.relied.add(index);
    return parts;
  }

  private async isHere(hash: Hash): Promise<boolean> {
    return this.seen.has(hash) || (await this.store.presence([hash]))[0] === 'complete';
  }

  /** Sorts what is expected into what is here, what is looked through, and what is pending. */
  private async settle(wanted: readonly Expectation[]): Promise<void> {
    for (let open = wanted; open.length > 0; ) {
      const asked = open.filter((one) => !this.pending.has(one.hash));
      for (const one of open) if (this.pending.has(one.hash)) this.pending.add(one);
      const presence = await this.presenceOf(asked);
      const next: Expectation[] = [];
      for (const [i, one] of asked.entries()) {
        if (presence[i] === 'absent') this.pending.add(one);
        else next.push(...(await this.lookThrough(one, presence[i] === 'complete')));
      }
      open = next;
    }
  }

  private async presenceOf(asked: readonly Expectation[]): Promise<Presence[]> {
    const unseen = asked.filter(({ hash }) => !this.seen.has(hash)).map(({ hash }) => hash);
    const found = unseen.length === 0 ? [] : await this.store.presence(unseen);
    let next = 0;
    return asked.map(({ hash }) => (this.seen.has(hash) ? 'incomplete' : found[next++]));
  }

  /** Cases 1 and 2: a chunk that is here is held to what is expected; what it leads to. */
  private async lookThrough(one: Expectation, isWhole: boolean): Promise<Expectation[]> {
    const { hash } = one;
    const bytes = await this.received.get(hash);
    if (bytes === undefined) throw new DvError('missing-object', `object ${hash} is missing`);
    await this.verify([one], bytes);
    if (isWhole) this.relied.add(hash);
    else if (one.kind === 'named') this.noteChildren(hash, [one]);
    if (isWhole || this.seen.has(hash)) return samples(one, expectedBelow(one, bytes, this.filter));
    this.keep(one, { hash, bytes });
    if (this.received.isFull) await this.received.startSpilling();
    return expectedBelow(one, bytes, this.filter);
  }
}

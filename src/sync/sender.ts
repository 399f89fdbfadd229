/**
 * A pack out of a store: the sending half of a fetch, a push, a bundle. The difference is
 * computed here, so one request is one pack. Cost and bytes follow what the receiver lacks;
 * memory is a batch, a path of the trees, and 12 bytes for every chunk sent.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readChunk, readCommit } from '../model/object-reader.ts';
import { type Clock, COMMIT_KIND, decodeCommit, decodeTag, TAG_KIND } from '../model/objects.ts';
import { readShallow } from '../model/shallow.ts';
import { NodeStore } from '../prolly/node-store.ts';
import { loadCompression } from '../store/compression.ts';
import type { Store } from '../store/contract.ts';
import {
  type DeepHistory,
  type HistoryQuestion,
  type WantedCommit,
  walkWanted,
  wantedWithin,
} from './commit-walk.ts';
import { estimateWalk, type OutgoingWalk } from './estimate.ts';
import { HashSet } from './hash-set.ts';
import { OutgoingChunks, type OutgoingFrame } from './outgoing.ts';
import { type PackHeader, PackWriter } from './pack.ts';
import type { FetchRequest } from './protocol.ts';
import { type Outgoing, rootsOf, SendWalk } from './send-walk.ts';

export interface SenderOptions {
  readonly clock?: Clock;
  /** Goes into the header of a bundle. */
  readonly bundle?: Pick<PackHeader, 'refs' | 'head'>;
  readonly signal?: AbortSignal;
  /** Tell in the header how much follows. */
  readonly estimate?: boolean;
}

/** Counterparts among the commons; more find little more and are read for every commit. */
const COUNTERPARTS = 2;
/** Chunks encoded in one go, which bounds what is in memory to some MB. */
const BATCH = 32;

/** What was asked for, resolved; `frames` may be put into one pack or into several. */
export interface Sending {
  readonly header: PackHeader;
  readonly frames: AsyncGenerator<OutgoingFrame, void>;
}

/**
 * @throws DvError `unknown-ref` for a want that is not here whole; while frames are taken
 * `missing-object`, `corrupt`
 */
export async function openSending(
  store: Store,
  request: FetchRequest,
  options: SenderOptions = {},
): Promise<Sending> {
  const nodes = new NodeStore(store);
  const { roots = [], wants = [], depth } = request;
  await requireWhole(store, [...wants, ...roots.map(({ hash }) => hash)]);
  const commons = await commonsOf(store, request.haves ?? []);
  const named = roots.filter(({ kind }) => kind === 'named').map(({ hash }) => hash);
  const tags = new Map<Hash, Hash>();
  const isDeep = depth !== undefined && wants.length > 0;
  const starts = await peelAll(nodes, isDeep ? wants : [...wants, ...named], tags);
  const question = {
    wants: starts,
    commons,
    shallow: new Set(request.shallow),
    ends: await readShallow(store),
  };
  const deep = depth === undefined ? undefined : await wantedWithin(store, question, depth);
  const begin = (sent: HashSet): OutgoingWalk => {
    const walk = new SendWalk(nodes, sent, {
      leaves: request.levels !== 'internal',
      ...(request.tables === undefined ? {} : { tables: new Set(request.tables) }),
      ...(roots.length === 0 ? {} : { only: new Set(roots.map(({ hash }) => hash)) }),
    });
    const met = { commits: 0 };
    const work: Work = { nodes, walk, sent, request, commons, tags, met };
    const history = deep?.commits ?? walkWanted(store, question);
    return { items: outgoing(work, history), commits: () => met.commits };
  };
  const sent = new HashSet();
  const estimate = options.estimate
    ? await estimateWalk(begin(new HashSet()), await mostCommits(store, question))
    : undefined;
  return {
    header: {
      wants,
      commons,
      shallow: deep?.shallow ?? [...question.ends],
      ...estimate,
      ...(options.clock && { clock: options.clock }),
      ...options.bundle,
    },
    frames: frames(store, begin(sent).items, sent, options.signal),
  };
}

/** As many as a line from the wants down to what is common has. */
async function mostCommits(
  store: Store,
  { wants, commons }: Pick<HistoryQuestion, 'wants' | 'commons'>,
): Promise<number> {
  const highest = async (hashes: readonly Hash[]): Promise<number> => {
    let generation = 0;
    for (const hash of hashes) {
      generation = Math.max(generation, (await readCommit(store, hash)).generation);
    }
    return generation;
  };
  return (await highest(wants)) - (await highest(commons.slice(0, 1)));
}

/** A whole pack; ended, not complete, behind about `maxBytes`. */
export async function* sendPack(
  store: Store,
  request: FetchRequest,
  options: SenderOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const sending = await openSending(store, request, options);
  yield* packOf(sending, request.maxBytes);
}

export interface PackEnd {
  readonly complete: boolean;
  readonly chunks: number;
}

/**
 * The next pack of a sending. When it ends for its size, another call goes on where it ended.
 * Returns whether everything was sent, and how many chunks this pack has.
 */
export async function* packOf(
  { header, frames }: Sending,
  maxBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, PackEnd> {
  const writer = new PackWriter(header);
  let complete = false;
  while (!complete && writer.written < maxBytes) {
    const next = await frames.next();
    if (next.done) complete = true;
    else if (next.value.type === 'chunk') writer.chunk(next.value.chunk, next.value.like);
    else {
      const { hash, rawSize, compressed, data } = next.value;
      writer.dictionary(hash, rawSize, compressed, data);
    }
    if (writer.ready) yield writer.take();
  }
  writer.trailer(complete);
  yield writer.take();
  return { complete, chunks: writer.chunks };
}

interface Work {
  readonly nodes: NodeStore;
  readonly walk: SendWalk;
  readonly sent: HashSet;
  readonly request: FetchRequest;
  readonly commons: readonly Hash[];
  /** Annotated tags and what they name. */
  readonly tags: ReadonlyMap<Hash, Hash>;
  /** What has been begun. */
  readonly met: { commits: number };
}

async function* frames(
  store: Store,
  walk: OutgoingWalk['items'],
  sent: HashSet,
  signal: AbortSignal | undefined,
): AsyncGenerator<OutgoingFrame, void> {
  const chunks = new OutgoingChunks(store, loadCompression(), sent);
  let encoded = 0;
  for await (const items of walk) {
    for (let at = 0; at < items.length; at += BATCH) {
      signal?.throwIfAborted();
      yield* await chunks.encode(items, at, at + BATCH);
      encoded += Math.min(BATCH, items.length - at);
      if (encoded < BATCH) continue;
      encoded = 0;
      await nextTurn();
    }
  }
}

async function* outgoing(
  { nodes, walk, sent, request, commons, tags, met }: Work,
  history: DeepHistory['commits'] | AsyncIterable<WantedCommit>,
): AsyncGenerator<readonly Outgoing[]> {
  /** Whoever is named by something that is sent goes too. */
  const marked = new Set<Hash>();
  for (const [tag, object] of tags) {
    if (walk.marks(tag) || marked.has(tag)) marked.add(object);
    yield walk.named(tag, [], marked.has(tag));
  }
  const common = await rootsOf(nodes, commons.slice(0, COUNTERPARTS));
  const childRoots = new Map<Hash, { commit: Hash; root: Hash }>();
  for await (const wanted of history) {
    const { hash, commit } = wanted;
    met.commits += 1;
    const child = childRoots.get(hash);
    childRoots.delete(hash);
    const isMarked = marked.delete(hash) || walk.marks(hash);
    yield walk.named(hash, child === undefined ? [] : [child.commit], isMarked);
    const known = child === undefined ? common : [child.root, ...common];
    yield* walk.commit(wanted, known, isMarked);
    for (const parent of commit.parents) {
      if (isMarked && request.roots !== undefined) marked.add(parent);
      if (!childRoots.has(parent)) childRoots.set(parent, { commit: hash, root: commit.root });
    }
  }
  for (const edge of request.roots ?? []) if (!sent.has(edge.hash)) yield* walk.edge(edge);
}

async function requireWhole(store: Store, hashes: readonly Hash[]): Promise<void> {
  const present = await store.hasMany(hashes);
  const lacking = hashes.find((_, i) => !present[i]);
  if (lacking === undefined) return;
  throw new DvError('unknown-ref', `the repository has no object '${lacking}'`, {
    hint: 'refs may have moved: fetch again',
    data: { hash: lacking },
  });
}

/** Haves that are commits and whole here, the newest (by generation) first. */
async function commonsOf(store: Store, haves: readonly Hash[]): Promise<Hash[]> {
  const distinct = [...new Set(haves)];
  const present = await store.hasMany(distinct);
  const found: { hash: Hash; generation: number }[] = [];
  const here = distinct.filter((_, i) => present[i]);
  const chunks = await store.getMany(here);
  for (const [i, hash] of here.entries()) {
    const bytes = chunks[i];
    if (bytes?.[0] !== COMMIT_KIND) continue;
    found.push({ hash, generation: decodeCommit(bytes).generation });
  }
  return found.sort((a, b) => b.generation - a.generation).map(({ hash }) => hash);
}

/** The commits that wants lead to; what tags are passed goes into `tags`. */
async function peelAll(
  nodes: NodeStore,
  wants: readonly Hash[],
  tags: Map<Hash, Hash>,
): Promise<Hash[]> {
  const commits = new Set<Hash>();
  for (const want of wants) {
    let hash = want;
    for (;;) {
      const bytes = await readChunk(nodes.objects, hash);
      if (bytes[0] !== TAG_KIND) break;
      const { object } = decodeTag(bytes);
      tags.set(hash, object);
      hash = object;
    }
    commits.add(hash);
  }
  return [...commits];
}

/**
 * What differs between two trees, in key order, at a cost of the nodes that differ.
 *
 * One join per level, from the higher root down. Each joins the two sides' child
 * references by last key; equal references drop out, whole subtrees with them, and the
 * children of the rest feed the join below. At the bottom the entries of the leaves that
 * remain are joined by key. A node found on both sides holds the same keys on both, so a
 * key in a node of one side only can have its counterpart only in such a node of the other.
 *
 * Little is read before it is asked for; memory holds a few leaves and a path per side.
 */
import { compareBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import type { Node, NodeRef } from './node.ts';
import type { NodeStore } from './node-store.ts';

/** One key whose value differs; undefined: absent on that side. */
export interface EntryChange {
  readonly key: Uint8Array;
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
}

/** References of one side at one level, ascending by last key. */
interface RefStream {
  peek(): Promise<NodeRef | undefined>;
  shift(): void;
}

const FROM = 0;
const TO = 1;
type Side = typeof FROM | typeof TO;

/** Joins two streams of one level and queues, per side, the references only it has. */
class RefJoin {
  private readonly inputs: readonly [RefStream, RefStream];
  private readonly queues: [NodeRef[], NodeRef[]] = [[], []];

  constructor(from: RefStream, to: RefStream) {
    this.inputs = [from, to];
  }

  side(side: Side): RefStream {
    return {
      peek: () => this.peek(side),
      shift: () => {
        this.queues[side].shift();
      },
    };
  }

  private async peek(side: Side): Promise<NodeRef | undefined> {
    while (this.queues[side].length === 0) {
      if ((await this.inputs[side].peek()) === undefined) return undefined;
      await this.step();
    }
    return this.queues[side][0];
  }

  private async step(): Promise<void> {
    const [from, to] = this.inputs;
    if (from instanceof ChildStream && to instanceof ChildStream) from.passSame(to);
    const a = await from.peek();
    const b = await to.peek();
    const order = a === undefined ? 1 : b === undefined ? -1 : compareBytes(a.key, b.key);
    const same = order === 0 && a?.hash === b?.hash;
    if (order <= 0 && a !== undefined) {
      from.shift();
      if (!same) this.queues[FROM].push(a);
    }
    if (order >= 0 && b !== undefined) {
      to.shift();
      if (!same) this.queues[TO].push(b);
    }
  }
}

/** The children of the references of the level above. */
class ChildStream implements RefStream {
  private readonly store: NodeStore;
  private readonly parents: RefStream;
  private node: Node | undefined;
  private index = 0;
  /** The reference at `index`, once it was asked for. */
  private ref: NodeRef | undefined;

  constructor(store: NodeStore, parents: RefStream) {
    this.store = store;
    this.parents = parents;
  }

  async peek(): Promise<NodeRef | undefined> {
    while (this.node === undefined || this.index >= this.node.count) {
      const parent = await this.parents.peek();
      if (parent === undefined) return undefined;
      this.parents.shift();
      this.node = await this.store.read(parent.hash);
      this.index = 0;
    }
    this.ref ??= this.node.child(this.index);
    return this.ref;
  }

  shift(): void {
    this.index += 1;
    this.ref = undefined;
  }

  /** Passes over what is the same here and there, as far as both nodes under way go. */
  passSame(other: ChildStream): void {
    const [a, b] = [this.node, other.node];
    if (a === undefined || b === undefined) return;
    const [start, otherStart] = [this.index, other.index];
    const most = Math.min(a.count - start, b.count - otherStart);
    let same = 0;
    while (same < most && a.sameChild(start + same, b, otherStart + same)) same += 1;
    if (same === 0) return;
    this.index += same;
    other.index += same;
    this.ref = other.ref = undefined;
  }
}

function single(ref: NodeRef): RefStream {
  let left: NodeRef | undefined = ref;
  return {
    peek: async () => left,
    shift: () => {
      left = undefined;
    },
  };
}

/** Leaves are read together: one, then twice as many each time, up to this. */
const READ_AHEAD = 16;

/** Entries of the leaves a stream names; a leaf at a time, so the join need not wait. */
class LeafStream {
  private readonly store: NodeStore;
  private readonly refs: RefStream;
  private ahead: Node[] = [];
  private most = 1;
  node: Node | undefined;
  index = 0;

  constructor(store: NodeStore, refs: RefStream) {
    this.store = store;
    this.refs = refs;
  }

  get ready(): boolean {
    return this.node !== undefined && this.index < this.node.count;
  }

  /** Loads the next leaf when the present one is used up; false at the end. */
  async load(): Promise<boolean> {
    while (!this.ready) {
      if (this.ahead.length === 0) this.ahead = await this.readNext();
      const next = this.ahead.shift();
      if (next === undefined) return false;
      this.node = next;
      this.index = 0;
    }
    return true;
  }

  private async readNext(): Promise<Node[]> {
    const hashes: Hash[] = [];
    while (hashes.length < this.most) {
      const ref = await this.refs.peek();
      if (ref === undefined) break;
      this.refs.shift();
      hashes.push(ref.hash);
    }
    this.most = Math.min(2 * this.most, READ_AHEAD);
    return this.store.readMany(hashes);
  }
}

async function rootRef(store: NodeStore, hash: Hash): Promise<[NodeRef, number]> {
  const node = await store.read(hash);
  const ref = { key: node.lastKey ?? new Uint8Array(0), hash, rows: node.rows, bytes: 0 };
  return [ref, node.level];
}

/**
 * Changes from tree `from` to tree `to`, in key order, in batches of up to a leaf's worth.
 * Keys and values are views into chunks and stay valid.
 * @throws DvError `missing-object`, `corrupt`
 */
export async function* diffTrees(
  store: NodeStore,
  from: Hash,
  to: Hash,
): AsyncGenerator<EntryChange[]> {
  if (from === to) return;
  const [[fromRoot, fromLevel], [toRoot, toLevel]] = [
    await rootRef(store, from),
    await rootRef(store, to),
  ];
  let [a, b]: RefStream[] = [single(fromRoot), single(toRoot)];
  for (let level = Math.max(fromLevel, toLevel); ; level--) {
    if (level <= fromLevel && level <= toLevel) {
      const join = new RefJoin(a, b);
      [a, b] = [join.side(FROM), join.side(TO)];
    }
    if (level === 0) break;
    if (level <= fromLevel) a = new ChildStream(store, a);
    if (level <= toLevel) b = new ChildStream(store, b);
  }
  yield* joinLeaves(new LeafStream(store, a), new LeafStream(store, b));
}

async function* joinLeaves(from: LeafStream, to: LeafStream): AsyncGenerator<EntryChange[]> {
  for (;;) {
    const more = [await from.load(), await to.load()];
    if (!more[FROM] && !more[TO]) return;
    const batch: EntryChange[] = [];
    if (!more[FROM]) drain(to, (key, value) => ({ key, from: undefined, to: value }), batch);
    else if (!more[TO]) drain(from, (key, value) => ({ key, from: value, to: undefined }), batch);
    else joinEntries(from, to, batch);
    if (batch.length > 0) yield batch;
  }
}

function drain(
  side: LeafStream,
  change: (key: Uint8Array, value: Uint8Array) => EntryChange,
  batch: EntryChange[],
): void {
  const node = side.node as Node;
  while (side.ready) {
    batch.push(change(node.key(side.index), node.value(side.index)));
    side.index += 1;
  }
}

/** Joins two leaves until one of them is used up. */
function joinEntries(from: LeafStream, to: LeafStream, batch: EntryChange[]): void {
  const a = from.node as Node;
  const b = to.node as Node;
  if (from.index === 0 && to.index === 0 && a.sameKeys(b)) {
    compareValues(a, b, batch);
    from.index = to.index = a.count;
  }
  while (from.ready && to.ready) {
    const [i, j] = [from.index, to.index];
    const order = a.compareKeyTo(i, b, j);
    if (order < 0) batch.push({ key: a.key(i), from: a.value(i), to: undefined });
    else if (order > 0) batch.push({ key: b.key(j), from: undefined, to: b.value(j) });
    else if (!a.sameValue(i, b, j)) batch.push({ key: a.key(i), from: a.value(i), to: b.value(j) });
    if (order <= 0) from.index += 1;
    if (order >= 0) to.index += 1;
  }
}

/** Values that are compared in one go. */
const RUN = 16;

/** Two leaves with the same keys, as an edit of cells leaves them: only values can differ. */
function compareValues(a: Node, b: Node, batch: EntryChange[]): void {
  for (let start = 0; start < a.count; start += RUN) {
    const end = Math.min(start + RUN, a.count);
    if (a.sameValues(start, end, b)) continue;
    for (let i = start; i < end; i++) {
      if (!a.sameValue(i, b, i)) batch.push({ key: a.key(i), from: a.value(i), to: b.value(i) });
    }
  }
}

/**
 * What stands at a chunk's place in a tree that is here: the same table of a parent or child
 * commit, the node over the same keys. Found on the way down from the commits, so unlike a hint
 * of the sender it is of the right kind, and may vouch for children that refer to blobs.
 */
import type { Hash } from '../hash.ts';
import { readCommit, readTable } from '../model/object-reader.ts';
import { COMMIT_KIND, decodeCommit } from '../model/objects.ts';
import { decodeEntry } from '../model/root.ts';
import { Node } from '../prolly/node.ts';
import type { ObjectStore } from '../store/contract.ts';
import type { Expectation } from './expectation.ts';

export class Counterparts {
  private readonly objects: ObjectStore;
  private readonly isHere: (hash: Hash) => Promise<boolean>;

  /** `isHere`: whether a chunk is whole in the store, or was looked through. */
  constructor(objects: ObjectStore, isHere: (hash: Hash) => Promise<boolean>) {
    this.objects = objects;
    this.isHere = isHere;
  }

  /** What `bytes` leads one to expect, with its counterparts where there are any. */
  async place(
    expected: Expectation,
    bytes: Uint8Array,
    below: readonly Expectation[],
  ): Promise<readonly Expectation[]> {
    if (expected.kind === 'named') {
      const root = bytes[0] === COMMIT_KIND ? await this.rootBeside(expected, bytes) : undefined;
      return below.map((one) => (one.kind === 'root' ? { ...one, beside: root } : one));
    }
    const { beside } = expected;
    if (beside === undefined || below.length === 0 || !(await this.isHere(beside))) return below;
    if (expected.kind === 'table') {
      const { tree } = await readTable(this.objects, beside);
      return below.map((one) => (one.kind === 'tree' ? { ...one, beside: tree } : one));
    }
    if (expected.kind === 'blob') return below;
    const [known] = await this.objects.getMany([beside]);
    return known === undefined ? below : besideNode(new Node(known), new Node(bytes), below);
  }

  /** The root of a parent that is whole here, or of the commit that named this one. */
  private async rootBeside({ commit }: Expectation, bytes: Uint8Array): Promise<Hash | undefined> {
    for (const near of [
      ...decodeCommit(bytes).parents,
      ...(commit === undefined ? [] : [commit]),
    ]) {
      if (await this.isHere(near)) return (await readCommit(this.objects, near)).root;
    }
    return undefined;
  }
}

function besideNode(
  known: Node,
  node: Node,
  below: readonly Expectation[],
): readonly Expectation[] {
  if (known.level !== node.level || known.count === 0) return below;
  if (node.level > 0) {
    return below.map((one) => {
      if (one.ref === undefined) return one;
      const index = Math.min(known.seek(one.ref.key), known.count - 1);
      return { ...one, beside: known.childHash(index) };
    });
  }
  const tables = new Map<string, Hash>();
  for (let i = 0; i < known.count && below.some(({ table }) => table !== undefined); i++) {
    const entry = decodeEntry(known.value(i));
    if (entry.kind === 'table') tables.set(Buffer.from(known.key(i)).toString('utf8'), entry.table);
  }
  return below.map((one) => {
    const beside = one.table === undefined ? undefined : tables.get(one.table);
    return beside === undefined ? one : { ...one, beside };
  });
}

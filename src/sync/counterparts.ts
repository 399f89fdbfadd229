/**
 * What stands at a chunk's place in a tree that is here: the same table of a parent or child
 * commit, the node over the same keys; the file of the same name. Found on the way down from
 * the commits, so unlike a hint of the sender it is of the right kind, and may vouch for
 * children that refer to blobs.
 */
import type { Hash } from '../hash.ts';
import { type BlobPart, blobParts } from '../model/blob-check.ts';
import { readCommit, readTable } from '../model/object-reader.ts';
import { COMMIT_KIND, decodeCommit } from '../model/objects.ts';
import { decodeEntry } from '../model/root.ts';
import type { Node } from '../prolly/node.ts';
import type { ObjectStore } from '../store/contract.ts';
import { decodedNode } from './decoded-node.ts';
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
    const [known] = await this.objects.getMany([beside]);
    if (known === undefined) return below;
    if (expected.kind === 'blob') return besidePart(blobParts({}, known), below);
    return besideNode(decodedNode(known), decodedNode(bytes), below);
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
  const named = new Map<string, Hash>();
  for (let i = 0; i < known.count && below.some(({ name }) => name !== undefined); i++) {
    const entry = decodeEntry(known.value(i));
    const hash = entry.kind === 'table' ? entry.table : entry.blob;
    named.set(`${entry.kind} ${Buffer.from(known.key(i)).toString('utf8')}`, hash);
  }
  return below.map((one) => {
    const kind = one.kind === 'table' ? 'table' : 'file';
    const beside = one.name === undefined ? undefined : named.get(`${kind} ${one.name}`);
    return beside === undefined ? one : { ...one, beside };
  });
}

/** An index has its parts in the order of the blob's bytes: about the same place will do. */
function besidePart(
  known: readonly BlobPart[],
  below: readonly Expectation[],
): readonly Expectation[] {
  if (known.length === 0) return below;
  return below.map((one, i) => ({ ...one, beside: known[Math.min(i, known.length - 1)].hash }));
}

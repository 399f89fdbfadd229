/**
 * No two names of a root differ by case only: they would be one file on many file systems. A
 * leaf is checked when it comes; a root of several leaves when all of it is here.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { foldName } from '../model/names.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { scanLeaves } from '../prolly/scan.ts';

export class FoldedNames {
  private readonly folded = new Set<string>();

  /** @throws DvError `bad-name` when another one differs by case only */
  add(name: string): void {
    const folded = foldName(name);
    if (this.folded.has(folded)) {
      const shown = JSON.stringify(name);
      throw new DvError('bad-name', `table name ${shown} differs from another by case`);
    }
    this.folded.add(folded);
  }
}

/** Cost: all leaves of the root. @throws DvError `bad-name`, `missing-object` */
export async function checkRootNames(nodes: NodeStore, root: Hash): Promise<void> {
  const names = new FoldedNames();
  for await (const leaf of scanLeaves(nodes, root)) {
    for (let i = 0; i < leaf.count; i++) names.add(Buffer.from(leaf.key(i)).toString('utf8'));
  }
}

/**
 * Two trees side by side, every key of either, equal entries included: for tables whose
 * columns have moved, where equal bytes may be other cells. Cost: both trees, whole.
 */
import { compareBytes } from '../bytes.ts';
import type { Hash } from '../hash.ts';
import type { EntryChange } from '../prolly/diff.ts';
import type { Node } from '../prolly/node.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { scanLeaves } from '../prolly/scan.ts';

/** In key order, about a leaf at a time. */
export async function* pairEntries(
  nodes: NodeStore,
  from: Hash,
  to: Hash,
): AsyncGenerator<EntryChange[]> {
  const [left, right] = [new EntryCursor(nodes, from), new EntryCursor(nodes, to)];
  for (;;) {
    await left.fill();
    await right.fill();
    if (left.ended && right.ended) return;
    yield pairReady(left, right);
  }
}

/** What can be paired before one of the cursors needs another leaf. */
function pairReady(left: EntryCursor, right: EntryCursor): EntryChange[] {
  const pairs: EntryChange[] = [];
  while ((left.ready || left.ended) && (right.ready || right.ended)) {
    if (left.ended && right.ended) break;
    const order = left.ended ? 1 : right.ended ? -1 : compareBytes(left.key, right.key);
    pairs.push({
      key: order <= 0 ? left.key : right.key,
      from: order <= 0 ? left.value : undefined,
      to: order >= 0 ? right.value : undefined,
    });
    if (order <= 0) left.advance();
    if (order >= 0) right.advance();
  }
  return pairs;
}

/** One tree's entries; `fill` waits for a leaf, the rest waits for nothing. */
class EntryCursor {
  ended = false;
  readonly #leaves: AsyncGenerator<Node>;
  #leaf: Node | undefined;
  #index = 0;

  constructor(nodes: NodeStore, root: Hash) {
    this.#leaves = scanLeaves(nodes, root);
  }

  /** Whether there is an entry at hand. */
  get ready(): boolean {
    return this.#leaf !== undefined && this.#index < this.#leaf.count;
  }

  get key(): Uint8Array {
    return this.#leaf!.key(this.#index);
  }

  get value(): Uint8Array {
    return this.#leaf!.value(this.#index);
  }

  advance(): void {
    this.#index += 1;
  }

  async fill(): Promise<void> {
    while (!this.ready && !this.ended) {
      const next = await this.#leaves.next();
      this.ended = next.done ?? false;
      this.#leaf = next.done ? undefined : next.value;
      this.#index = 0;
    }
  }
}

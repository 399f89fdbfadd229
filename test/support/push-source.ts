/**
 * Commits to push at a server, and the bodies of requests that push them: made from a store
 * of its own, as a client would.
 */
import { randomBytes } from 'node:crypto';
import type { Hash } from '../../src/hash.ts';
import type { RowWriter } from '../../src/live/contract.ts';
import { createRowWriter } from '../../src/live/writer.ts';
import type { FetchRequest, PushRequest, RefCommand } from '../../src/sync/protocol.ts';
import { sendPack } from '../../src/sync/sender.ts';
import type { Cell } from '../../src/tuple/schema.ts';
import { type TestRepository, temporaryRepository, testEnvironment } from './repository.ts';

export const PUSH_TYPE = 'application/vnd.dv.push';
export const PACK_TYPE = 'application/vnd.dv.pack';

export type Row = Readonly<Record<string, Cell>>;

export class PushSource implements AsyncDisposable {
  readonly #repository: TestRepository;
  readonly #writer: RowWriter;

  private constructor(repository: TestRepository) {
    this.#repository = repository;
    this.#writer = createRowWriter(repository.repo.store, {
      now: Date.now,
      randomId: () => randomBytes(8).toString('hex'),
    });
  }

  static async open(): Promise<PushSource> {
    return new PushSource(await temporaryRepository(testEnvironment()));
  }

  get store() {
    return this.#repository.repo.store;
  }

  get directory(): string {
    return this.#repository.directory;
  }

  /** Commits rows (key `id`) to `main`; the commit. */
  async commit(rows: readonly Row[], message = 'rows'): Promise<Hash> {
    const { commit } = await this.#writer.write({
      branch: 'main',
      tables: [{ table: 't', key: ['id'], writes: rows.map((cells) => ({ op: 'upsert', cells })) }],
      message,
      author: { name: 'Test', email: 'test@example.org' },
    });
    return commit;
  }

  async pack(request: FetchRequest): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of sendPack(this.store, request)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** A push of `commit` to `ref` from `old`, with its pack, as one body. */
  async body(
    commit: Hash,
    old: Hash | null,
    { ref = 'refs/heads/main', strategy = 'ff-only' as RefCommand['strategy'] } = {},
  ): Promise<Buffer> {
    const pack = await this.pack({ wants: [commit], haves: old === null ? [] : [old] });
    return pushBody({ updates: [{ ref, old, new: commit, strategy }], atomic: false }, pack);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#repository[Symbol.asyncDispose]();
  }
}

/** Head and pack as `application/vnd.dv.push`. */
export function pushBody(head: PushRequest | object, pack: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, pack]);
}

/** Rows with ids from `from`; `text` is their name, or makes one for each. */
export function rowsFrom(
  from: number,
  count: number,
  text: string | (() => string) = 'row',
): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    id: String(from + i),
    name: `${typeof text === 'string' ? text : text()} ${from + i}`,
  }));
}

/**
 * A remote whose first packs are here already: a follower got them along with the news. What
 * they lack is asked of the remote, as after a cut.
 */
import type {
  FetchRequest,
  PushAnswer,
  PushRequest,
  PushSession,
  Remote,
  RemoteInfo,
  RemoteRefs,
} from './protocol.ts';

export class PackedRemote implements Remote {
  readonly url: string;
  private readonly remote: Remote;
  private readonly packs: Uint8Array[];

  /** `packs` in the order of what they lead to. Closing it leaves `remote` open. */
  constructor(remote: Remote, packs: readonly Uint8Array[]) {
    this.url = remote.url;
    this.remote = remote;
    this.packs = [...packs];
  }

  async *fetch(request: FetchRequest, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const pack = this.packs.shift();
    if (pack === undefined) yield* this.remote.fetch(request, signal);
    else yield pack;
  }

  info(): Promise<RemoteInfo> {
    return this.remote.info();
  }

  refs(prefix?: string): Promise<RemoteRefs> {
    return this.remote.refs(prefix);
  }

  push(request: PushRequest, pack?: Uint8Array): Promise<PushAnswer> {
    return this.remote.push(request, pack);
  }

  openPush(request: PushRequest): Promise<PushSession> {
    return this.remote.openPush(request);
  }

  getPush(id: string): Promise<PushSession | undefined> {
    return this.remote.getPush(id);
  }

  putSegment(id: string, number: number, pack: Uint8Array): Promise<PushSession> {
    return this.remote.putSegment(id, number, pack);
  }

  commitPush(id: string): Promise<PushAnswer> {
    return this.remote.commitPush(id);
  }

  abandonPush(id: string): Promise<void> {
    return this.remote.abandonPush(id);
  }

  async close(): Promise<void> {}
}

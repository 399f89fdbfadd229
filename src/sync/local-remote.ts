/**
 * A repository of this machine as a `Remote`: its service, called directly. What a server
 * would refuse is refused here too.
 */
import type {
  Caller,
  FetchRequest,
  PushAnswer,
  PushRequest,
  PushSession,
  Remote,
  RemoteInfo,
  RemoteRefs,
} from './protocol.ts';
import type { SyncService } from './service.ts';

export interface LocalRemoteOptions {
  /** As people know it, such as the path. */
  readonly url: string;
  readonly service: SyncService;
  readonly caller: Caller;
  /** Lets go of the store, when it was opened for this. */
  readonly close?: () => Promise<void>;
}

export class LocalRemote implements Remote {
  readonly url: string;
  private readonly service: SyncService;
  private readonly caller: Caller;
  private closing: (() => Promise<void>) | undefined;

  constructor({ url, service, caller, close }: LocalRemoteOptions) {
    this.url = url;
    this.service = service;
    this.caller = caller;
    this.closing = close;
  }

  info(): Promise<RemoteInfo> {
    return this.service.info();
  }

  refs(prefix?: string): Promise<RemoteRefs> {
    return this.service.refs(prefix);
  }

  async *fetch(request: FetchRequest, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* await this.service.fetch(request, signal);
  }

  push(request: PushRequest, pack?: Uint8Array): Promise<PushAnswer> {
    return this.service.push(this.caller, request, pack);
  }

  openPush(request: PushRequest): Promise<PushSession> {
    return this.service.openPush(this.caller, request);
  }

  getPush(id: string): Promise<PushSession | undefined> {
    return this.service.getPush(this.caller, id);
  }

  putSegment(id: string, number: number, pack: Uint8Array): Promise<PushSession> {
    return this.service.putSegment(this.caller, id, number, pack);
  }

  commitPush(id: string): Promise<PushAnswer> {
    return this.service.commitPush(this.caller, id);
  }

  abandonPush(id: string): Promise<void> {
    return this.service.abandonPush(this.caller, id);
  }

  async close(): Promise<void> {
    const { closing } = this;
    this.closing = undefined;
    await closing?.();
  }
}

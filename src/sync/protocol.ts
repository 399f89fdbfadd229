/**
 * What two repositories say to each other, as types: requests, answers, limits. Everything
 * that reads from or writes to another repository goes through `Remote`; it has two forms
 * that pass one contract suite (test/suites/remote-suite.ts):
 *
 *   local-remote.ts   a repository of this machine, by path: calls the service
 *   http-remote.ts    a server: the same calls over HTTP
 *
 * `service.ts` is the other end of both: it answers for one store. Bulk goes as packs
 * (pack.ts). docs/protocol.md is the normative text; hashes are lower-case hex in JSON.
 */
import type { Hash } from '../hash.ts';
import type { Edge } from '../model/edges.ts';
import type { Clock } from '../model/objects.ts';

/** The protocol versions this dv speaks, newest first. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];

/** Announced by a server; a client keeps within what it is told. Sizes in bytes. */
export interface Limits {
  readonly wants: number;
  readonly haves: number;
  readonly roots: number;
  readonly inlinePackBytes: number;
  readonly segmentBytes: number;
  /** Open push sessions of one caller, and how long one lives, in ms. */
  readonly pushSessions: number;
  readonly pushSessionMs: number;
  readonly chunkBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  wants: 64,
  haves: 256,
  roots: 4096,
  inlinePackBytes: 1024 * 1024,
  segmentBytes: 4 * 1024 * 1024,
  pushSessions: 4,
  pushSessionMs: 24 * 60 * 60 * 1000,
  chunkBytes: 262_144,
};

export interface RemoteInfo {
  /** Versions it speaks. */
  readonly protocol: readonly number[];
  /** Such as `dv 0.1.0`. */
  readonly software: string;
  /** The repository's node id: tells a repository from a copy at the same address. */
  readonly node: string;
  readonly features: readonly string[];
  readonly limits: Limits;
  /** Its hybrid logical clock now. */
  readonly clock: Clock;
}

export interface RemoteRef {
  readonly name: string;
  readonly hash: Hash;
  /** The commit an annotated tag leads to. */
  readonly peeled?: Hash;
}

export interface RemoteRefs {
  /** The ref that HEAD stands for, such as `refs/heads/main`; null when it is detached. */
  readonly head: string | null;
  /** Branches and tags, in name order. */
  readonly refs: readonly RemoteRef[];
  /** Feed cursor `<epoch>.<sequence>` at which this was true. */
  readonly cursor: string;
}

/**
 * Asks for everything that `wants` and `roots` reach and that `haves` do not. The sender
 * computes the difference; whatever it knows the receiver to have is left out.
 */
export interface FetchRequest {
  /** Commits or annotated tags. */
  readonly wants?: readonly Hash[];
  /** Commits the receiver has with all they reach: the newest 16, then doubling gaps. */
  readonly haves?: readonly Hash[];
  /** Objects to send whole, with all they reach: to resume, to repair, to fill a partial clone. */
  readonly roots?: readonly Edge[];
  /** At most this many commits on each path from a want (1: the wants alone). */
  readonly depth?: number;
  /** Commits whose parents the receiver lacks: having such a commit says nothing of older ones. */
  readonly shallow?: readonly Hash[];
  /** Only these tables of a root (names); other tables' objects are left out. Roots are sent whole. */
  readonly tables?: readonly string[];
  /** `internal`: tree nodes above the leaves only; no leaves, no blobs. */
  readonly levels?: 'all' | 'internal';
  /** End the pack (trailer: not complete) behind about this many bytes. */
  readonly maxBytes?: number;
}

/** What happens when the ref is not where the caller thinks, or would not move forward. */
export type PushStrategy =
  /** `old` must hold; new must descend from it. */
  | 'ff-only'
  /** `old` must hold; nothing else. */
  | 'force'
  /** Not `old`, or not a descendant: merged into the ref's head by the receiver. */
  | 'merge';

export interface RefCommand {
  readonly ref: string;
  /** Where the caller last saw the ref; null: nowhere. */
  readonly old: Hash | null;
  /** null deletes (`ff-only` deletes too when `old` holds). */
  readonly new: Hash | null;
  readonly strategy: PushStrategy;
}

export interface PushRequest {
  readonly updates: readonly RefCommand[];
  /** All or none. */
  readonly atomic: boolean;
}

export type RefOutcome =
  | { readonly ref: string; readonly status: 'ok'; readonly hash: Hash | null }
  | { readonly ref: string; readonly status: 'merged'; readonly hash: Hash }
  | {
      readonly ref: string;
      readonly status: 'refused';
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
      readonly data?: Readonly<Record<string, unknown>>;
      /** Where the ref is now. */
      readonly head: Hash | null;
    };

export type PushAnswer =
  | { readonly kind: 'done'; readonly outcomes: readonly RefOutcome[]; readonly cursor: string }
  /** The pack did not bring everything: nothing moved, send what these reach. */
  | { readonly kind: 'incomplete'; readonly pending: readonly Edge[] };

/** A push in pieces. Each segment is a whole pack of at most `segmentBytes` (pack.ts). */
export interface PushSession {
  readonly id: string;
  /** Number of the next segment, from 0. */
  readonly next: number;
  /** What is still wanted: to begin or go on from. Empty: ready to commit. */
  readonly pending: readonly Edge[];
}

/** Another repository, wherever it is. Methods throw DvError, of kind `remote` for the way there. */
export interface Remote {
  /** As people know it; never with credentials. */
  readonly url: string;
  info(): Promise<RemoteInfo>;
  refs(prefix?: string): Promise<RemoteRefs>;
  /** The bytes of one pack, as they come. Cut: the iteration throws `connection-lost`. */
  fetch(request: FetchRequest, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Moves refs, with what they need in `pack` (at most `inlinePackBytes`) or already there. */
  push(request: PushRequest, pack?: Uint8Array): Promise<PushAnswer>;
  openPush(request: PushRequest): Promise<PushSession>;
  /** undefined: unknown or expired. */
  getPush(id: string): Promise<PushSession | undefined>;
  /** Idempotent: a segment that was taken is answered again. */
  putSegment(id: string, number: number, pack: Uint8Array): Promise<PushSession>;
  commitPush(id: string): Promise<PushAnswer>;
  abandonPush(id: string): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Who asks the service, and what the server says to it. The service itself decides nothing. */
export interface Caller {
  /** For the feed and the audit log. */
  readonly actor: string;
  /** Throws `forbidden` when this caller may not move this ref so. Called before it moves. */
  allow(command: RefCommand): void | Promise<void>;
}

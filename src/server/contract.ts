/**
 * How the server is put together: what a route gets. The server knows no paths and no
 * process: `dv serve` (cli/commands/serve.ts) opens repositories and hands them in.
 *
 * Each file in routes/ exports `register(app, context)` and owns its paths, schemas and
 * its part of the OpenAPI document. Every route below `/v1/repos/:repo` calls `context.open`
 * first: it authenticates, finds the repository, and refuses in one way whoever may not know
 * that it exists.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { NodeStore } from '../prolly/node-store.ts';
import type { Store } from '../store/contract.ts';
import type { Maintenance } from '../store/maintenance.ts';
import type { Caller, Limits } from '../sync/protocol.ts';

/** What the server needs of the world outside. */
export interface ServerEnvironment {
  /** ms since the epoch. */
  readonly now: () => number;
  /** Seconds with fractions, from anywhere, never backwards: for durations. */
  readonly monotonic: () => number;
  /** 16 random hex digits. */
  readonly randomId: () => string;
  readonly randomBytes: (size: number) => Uint8Array;
  /** One structured log line. */
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
  readonly software: string;
}

export interface OpenedRepository {
  readonly name: string;
  readonly store: Store & Maintenance;
  /** Evaluates `--where` conditions and the like need no more than this. */
  readonly nodes: NodeStore;
}

/** The repositories a server serves. Open ones are shared and closed by the server's end. */
export interface RepositoryDirectory {
  list(): Promise<readonly string[]>;
  open(name: string): Promise<OpenedRepository | undefined>;
  /** undefined: this server makes none. @throws DvError `bad-name`, `already-exists` */
  readonly create?: (name: string) => Promise<OpenedRepository>;
  close(): Promise<void>;
}

/** What a caller wants to do. Roles are sets of these (authorize.ts). */
export type Action =
  | 'read'
  | 'push'
  | 'force'
  | 'delete-ref'
  | 'create-repository'
  | 'write-rows'
  | 'manage-tokens'
  | 'read-metrics';

export interface Principal {
  /** `token:ID`, `anonymous`, ... */
  readonly id: string;
  readonly name: string;
  readonly roles: readonly { readonly role: string; readonly repositories: string }[];
}

/** A repository in use by one request. */
export interface Served {
  readonly repository: OpenedRepository;
  readonly principal: Principal;
  /** For the sync service: `allow` is `authorize` for this principal. */
  readonly caller: Caller;
  /** @throws DvError `forbidden` */
  require(action: Action, ref?: string): void;
  /** One object per repository for as long as it is open (feed hub, row writer). */
  shared<T extends { close(): Promise<void> }>(key: string, make: () => T): T;
}

export interface ServerContext {
  readonly environment: ServerEnvironment;
  readonly limits: Limits;
  /** Aborts when the server begins to stop: long streams end then. */
  readonly stopping: AbortSignal;
  /** @throws DvError `unauthorized`, `forbidden`, `unknown-repository` */
  open(request: FastifyRequest, action: Action): Promise<Served>;
  /** Counters and gauges of `/metrics`, made at first use. */
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, labels: Readonly<Record<string, string>>, value: number): void;
  observe(name: string, labels: Readonly<Record<string, string>>, seconds: number): void;
}

export type RegisterRoutes = (app: FastifyInstance, context: ServerContext) => void;

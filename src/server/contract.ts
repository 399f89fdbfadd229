/**
 * How the server is put together: what a route gets. The server knows no paths and no
 * process: `dv serve` (cli/commands/serve.ts) opens repositories and hands them in.
 *
 * Each file in routes/ exports `register(app, context)` and owns its paths and its part of
 * the OpenAPI document (`config.openapi` of a route); routes.ts lists the files. Every route
 * below `/v1/repos/:repo` calls `context.open` first: it authenticates, finds the
 * repository, and refuses in one way whoever may not know that it exists.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NodeStore } from '../prolly/node-store.ts';
import type { Store } from '../store/contract.ts';
import type { Maintenance } from '../store/maintenance.ts';
import type { Caller, Limits, RefCommand } from '../sync/protocol.ts';
import type { ByteBudget } from './byte-budget.ts';

/** What the server needs of the world outside. */
export interface ServerEnvironment {
  /** ms since the epoch. */
  readonly now: () => number;
  /** Seconds with fractions, from anywhere, never backwards: for durations. */
  readonly monotonic: () => number;
  /** 16 random hex digits. */
  readonly randomId: () => string;
  readonly random: (size: number) => Uint8Array;
  /** One structured log line: `level` and `event`, then facts. */
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
  readonly software: string;
}

export interface OpenedRepository {
  readonly name: string;
  readonly store: Store & Maintenance;
  /** Evaluates `--where` conditions and the like need no more than this. */
  readonly nodes: NodeStore;
  /**
   * What the repository refuses whoever asks: a push to the branch that its working files
   * show. Called before the ref moves. @throws DvError `push-refused`
   */
  readonly guard?: (command: RefCommand) => Promise<void>;
  /** Called when refs have moved: brings the working files along where that is configured. */
  readonly moved?: (refs: readonly string[]) => Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The repositories a server may serve. Whoever opens one closes it. */
export interface RepositoryDirectory {
  list(): Promise<readonly string[]>;
  open(name: string): Promise<OpenedRepository | undefined>;
  /** undefined: this server makes none. @throws DvError `bad-name`, `already-exists` */
  readonly create?: (name: string) => Promise<OpenedRepository>;
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

/** Who has which token. Reads what is kept anew when it changed. */
export interface TokenVerifier {
  /** Whether any token exists. Without one, whoever reaches the server is `anonymous`. */
  configured(): Promise<boolean>;
  /**
   * undefined: unknown or wrong, one answer for both.
   * @throws DvError `unauthorized` for a right token that has expired
   */
  verify(token: string): Promise<Principal | undefined>;
}

/** A repository in use by one request. */
export interface Served {
  readonly repository: OpenedRepository;
  readonly principal: Principal;
  /**
   * For the sync service and whoever else moves refs: `allow` is `authorize` for this
   * principal, and then the repository's own `guard`.
   */
  readonly caller: Caller;
  /** @throws DvError `forbidden` */
  require(action: Action, ref?: string): void;
  /** One object per repository for as long as it is open (feed hub, row writer). */
  shared<T extends { close(): Promise<void> }>(key: string, make: () => T): T;
}

/** Limits of HTTP; those of sync are `Limits`. Times in ms, sizes in bytes. */
export interface HttpLimits {
  readonly urlBytes: number;
  readonly headerBytes: number;
  /** Of a body that is no pack. */
  readonly jsonBytes: number;
  /** A body (or the reader of an answer) that stands still so long is cut. */
  readonly stallMs: number;
  /** A request has to be here whole in this time. */
  readonly requestMs: number;
  /** All bodies that are being received, together; others wait. */
  readonly bodyBytesInFlight: number;
  /** Requests of one principal at one address: a second, and at once. 0: no limit. */
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  /** Failed authentications of one address, a minute. */
  readonly failedTokensPerMinute: number;
  readonly connections: number;
  /** Repositories that stay open while nobody uses them. */
  readonly idleRepositories: number;
  /** How long a stop waits for what is in flight. */
  readonly graceMs: number;
}

export interface ServerOptions {
  readonly directory: RepositoryDirectory;
  readonly environment: ServerEnvironment;
  readonly tokens: TokenVerifier;
  /** Whether anybody may do everything while no token exists. Only for this machine. */
  readonly open: boolean;
  readonly limits?: Partial<Limits>;
  readonly http?: Partial<HttpLimits>;
  /** PEM. Without it plain HTTP. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** Take the caller's address from `x-forwarded-for` of a proxy on a private address. */
  readonly behindProxy?: boolean;
  /** Origins of web pages that may use the server, such as `https://example.org`. */
  readonly origins?: readonly string[];
}

export interface OpenOptions {
  /** Makes the repository when there is none and this caller may. */
  readonly create?: boolean;
}

export interface ServerContext {
  readonly environment: ServerEnvironment;
  readonly limits: Limits;
  readonly http: HttpLimits;
  readonly directory: RepositoryDirectory;
  /** Bounds the bodies in memory (request-body.ts). */
  readonly bodies: ByteBudget;
  /** Aborts when the server begins to stop: long streams end then. */
  readonly stopping: AbortSignal;
  /**
   * The repository of `:repo`, for as long as the answer takes.
   * @throws DvError `unauthorized`, `forbidden`, `unknown-repository`
   */
  open(request: FastifyRequest, action: Action, options?: OpenOptions): Promise<Served>;
  /** @throws DvError `unauthorized` */
  authenticate(request: FastifyRequest): Promise<Principal>;
  /** Whom `authenticate` found, once it has. */
  callerOf(request: FastifyRequest): Principal | undefined;
  /**
   * Streams an answer as the other end takes it. Ends (cut) when it takes nothing for
   * `stallMs`; the iteration is ended whenever the answer is over, however that came.
   */
  stream(reply: FastifyReply, contentType: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** Counters and gauges of `/metrics`, made at first use. */
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, labels: Readonly<Record<string, string>>, value: number): void;
  /** Of something that is no more. */
  dropGauge(name: string, labels: Readonly<Record<string, string>>): void;
  observe(name: string, labels: Readonly<Record<string, string>>, seconds: number): void;
  /** The text of `/metrics`. */
  renderMetrics(): string;
}

export type RegisterRoutes = (app: FastifyInstance, context: ServerContext) => void;

/** An operation of the OpenAPI document: see routes/openapi.ts for what is added. */
export interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly Readonly<Record<string, unknown>>[];
  readonly requestBody?: Readonly<Record<string, unknown>>;
  /** By status; failures that every route has are added. */
  readonly responses: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** false: no token is needed. */
  readonly authenticated?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route has one. */
    openapi?: OpenApiOperation;
  }
}

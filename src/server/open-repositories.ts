/**
 * Repositories in use: opened once, shared by all requests of the moment, kept open for the
 * next one, and closed when too many stand idle. What routes share per repository (feed hub,
 * row writer) lives and ends with it.
 */
import type { OpenedRepository, RepositoryDirectory } from './contract.ts';

interface Entry {
  readonly name: string;
  readonly opening: Promise<OpenedRepository | undefined>;
  readonly shared: Map<string, { close(): Promise<void> }>;
  users: number;
}

export interface Lease {
  readonly repository: OpenedRepository;
  shared<T extends { close(): Promise<void> }>(key: string, make: () => T): T;
  /** Idempotent. */
  release(): void;
}

export class OpenRepositories {
  readonly #directory: RepositoryDirectory;
  readonly #idleLimit: number;
  readonly #report: (error: unknown) => void;
  /** By name, the one used last at the end. */
  readonly #entries = new Map<string, Entry>();
  /** Names that are being closed: whoever wants one waits, so that it is never open twice. */
  readonly #closing = new Map<string, Promise<void>>();

  /** `report` is told what fails while an idle repository is closed. */
  constructor(directory: RepositoryDirectory, idleLimit: number, report: (error: unknown) => void) {
    this.#directory = directory;
    this.#idleLimit = idleLimit;
    this.#report = report;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** undefined: there is none of that name. */
  lease(name: string): Promise<Lease | undefined> {
    return this.#lease(name, () => this.#directory.open(name));
  }

  /** Makes the repository; when somebody else did meanwhile, that one. */
  async create(name: string, make: (name: string) => Promise<OpenedRepository>): Promise<Lease> {
    const open = async () => (await this.#directory.open(name)) ?? (await make(name));
    for (;;) {
      // undefined: somebody who makes none had begun to look for it.
      const lease = await this.#lease(name, open);
      if (lease !== undefined) return lease;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => this.#close(entry)));
    await Promise.all(this.#closing.values());
  }

  async #lease(
    name: string,
    open: () => Promise<OpenedRepository | undefined>,
  ): Promise<Lease | undefined> {
    await this.#closing.get(name);
    let entry = this.#entries.get(name);
    entry ??= { name, opening: open(), shared: new Map(), users: 0 };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    entry.users++;
    let repository: OpenedRepository | undefined;
    try {
      repository = await entry.opening;
    } finally {
      if (repository === undefined) this.#forget(entry);
    }
    return repository === undefined ? undefined : this.#leaseOf(entry, repository);
  }

  #forget(entry: Entry): void {
    entry.users--;
    if (this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name);
  }

  #leaseOf(entry: Entry, repository: OpenedRepository): Lease {
    let isHeld = true;
    return {
      repository,
      shared: <T extends { close(): Promise<void> }>(key: string, make: () => T) => {
        const existing = entry.shared.get(key) as T | undefined;
        if (existing !== undefined) return existing;
        const made = make();
        entry.shared.set(key, made);
        return made;
      },
      release: () => {
        if (isHeld) entry.users--;
        isHeld = false;
        this.#closeIdle();
      },
    };
  }

  #closeIdle(): void {
    const idle = [...this.#entries.values()].filter(({ users }) => users === 0);
    for (const entry of idle.slice(0, Math.max(0, idle.length - this.#idleLimit))) {
      this.#close(entry).catch(this.#report);
    }
  }

  #close(entry: Entry): Promise<void> {
    this.#entries.delete(entry.name);
    const closed = closeEntry(entry).finally(() => this.#closing.delete(entry.name));
    this.#closing.set(
      entry.name,
      closed.catch(() => undefined),
    ); // told by `closed` itself
    return closed;
  }
}

async function closeEntry({ opening, shared }: Entry): Promise<void> {
  for (const one of [...shared.values()].reverse()) await one.close();
  await (await opening)?.close();
}

/**
 * A bundle as a remote: its refs, and one pack with everything that they reach. It cannot
 * choose what to send, so whoever fetches from it expects all of it (`wants`), and ignores what
 * is there already.
 */
import { createReadStream } from 'node:fs';
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import type { PackRef } from '../sync/pack.ts';
import {
  DEFAULT_LIMITS,
  PROTOCOL_VERSIONS,
  type Remote,
  type RemoteInfo,
  type RemoteRefs,
} from '../sync/protocol.ts';
import { readBundleHeader } from './bundle-header.ts';

export interface Bundle {
  readonly refs: readonly PackRef[];
  readonly head: string | null;
  readonly prerequisites: readonly Hash[];
  /** Everything it leads to: what has to be expected of it. */
  readonly wants: readonly Hash[];
  readonly shallow: readonly Hash[];
}

export interface BundleRemote extends Remote {
  readonly bundle: Bundle;
}

/** @throws DvError `not-dv`, `bad-pack` */
export async function openBundleRemote(path: string, url: string): Promise<BundleRemote> {
  const header = await readBundleHeader(path);
  const bundle: Bundle = {
    refs: header.refs,
    head: header.head ?? null,
    prerequisites: header.commons,
    wants: header.wants,
    shallow: header.shallow,
  };
  return new BundleFile(path, url, bundle);
}

class BundleFile implements BundleRemote {
  readonly url: string;
  readonly bundle: Bundle;
  readonly #path: string;

  constructor(path: string, url: string, bundle: Bundle) {
    this.#path = path;
    this.url = url;
    this.bundle = bundle;
  }

  async info(): Promise<RemoteInfo> {
    return {
      protocol: PROTOCOL_VERSIONS,
      software: 'a bundle',
      node: '00000000',
      features: [],
      limits: DEFAULT_LIMITS,
      clock: { ms: 0, counter: 0, node: '00000000' },
    };
  }

  async refs(prefix = ''): Promise<RemoteRefs> {
    const { refs, head } = this.bundle;
    return { head, refs: refs.filter(({ name }) => name.startsWith(prefix)), cursor: '' };
  }

  async *fetch(): AsyncGenerator<Uint8Array> {
    for await (const piece of createReadStream(this.#path)) yield piece as Uint8Array;
  }

  push(): Promise<never> {
    return this.#refuse();
  }

  openPush(): Promise<never> {
    return this.#refuse();
  }

  async getPush(): Promise<undefined> {
    return undefined;
  }

  putSegment(): Promise<never> {
    return this.#refuse();
  }

  commitPush(): Promise<never> {
    return this.#refuse();
  }

  async abandonPush(): Promise<void> {}

  async close(): Promise<void> {}

  async #refuse(): Promise<never> {
    throw new DvError('read-only', `'${this.url}' is a bundle: nothing can be pushed to it`, {
      hint: 'dv bundle create writes a new one',
    });
  }
}

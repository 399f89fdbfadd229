/** A real server over one store, on a free port, for those who watch it. */
import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type HttpFeedOptions, HttpFeedSource } from '../../src/live/http-source.ts';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { createServer, type DvServer } from '../../src/server/app.ts';
import type { Store } from '../../src/store/contract.ts';
import type { Maintenance } from '../../src/store/maintenance.ts';

export interface WatchServer {
  readonly server: DvServer;
  /** Of the repository `data`. */
  readonly url: string;
  readonly origin: string;
  stop(): Promise<void>;
}

export async function serveStore(store: Store & Maintenance, port = 0): Promise<WatchServer> {
  const server = createServer({
    directory: {
      list: async () => ['data'],
      open: async (name) =>
        name === 'data'
          ? { name, store, nodes: new NodeStore(store), close: async () => {} }
          : undefined,
    },
    environment: {
      now: Date.now,
      monotonic: () => performance.now() / 1000,
      randomId: () => randomBytes(8).toString('hex'),
      random: randomBytes,
      log: () => {},
      software: 'dv test',
    },
    tokens: { configured: async () => false, verify: async () => undefined },
    open: true,
  });
  const taken = await server.listen('127.0.0.1', port);
  onTestFinished(() => server.stop());
  const origin = `http://127.0.0.1:${taken}`;
  return { server, origin, url: `${origin}/data`, stop: () => server.stop() };
}

export function openSource(url: string, options: Partial<HttpFeedOptions> = {}): HttpFeedSource {
  const source = new HttpFeedSource(url, {
    software: 'dv test',
    jitter: Math.random,
    monotonic: () => performance.now() / 1000,
    ...options,
  });
  onTestFinished(() => source.close());
  return source;
}

/** The contract of remotes, over HTTP against a real server. */
import { randomBytes } from 'node:crypto';
import { NodeStore } from '../../src/prolly/node-store.ts';
import { createServer } from '../../src/server/app.ts';
import { openHttpRemote } from '../../src/sync/http-remote.ts';
import { remoteSuite } from '../suites/remote-suite.ts';
import { NOW } from '../support/sync-scene.ts';

remoteSuite('over HTTP', async (store, limits) => {
  const opened = { name: 'data', store, nodes: new NodeStore(store), close: async () => undefined };
  const server = createServer({
    open: true,
    limits,
    tokens: { configured: async () => false, verify: async () => undefined },
    directory: {
      list: async () => ['data'],
      open: async (name) => (name === 'data' ? opened : undefined),
    },
    environment: {
      now: () => NOW + 1_000_000,
      monotonic: () => performance.now() / 1000,
      randomId: () => randomBytes(8).toString('hex'),
      random: randomBytes,
      log: () => undefined,
      software: 'dv test',
    },
  });
  const port = await server.listen('127.0.0.1', 0);
  const remote = openHttpRemote(`http://127.0.0.1:${port}/data`, { software: 'dv test' });
  return { remote, close: () => server.stop() };
});

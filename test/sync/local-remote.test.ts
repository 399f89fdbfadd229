/** The contract of remotes, within the process. */
import { remoteSuite } from '../suites/remote-suite.ts';
import { remoteOver } from '../support/sync-scene.ts';

remoteSuite('of this machine', async (store, limits) => ({
  remote: remoteOver(store, { limits }),
  close: async () => {},
}));

/** The sync service of a repository in use: made once for as long as it is open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SyncService } from '../sync/service.ts';
import type { Served, ServerContext, ServerEnvironment } from './contract.ts';

const UINT32 = 2 ** 32;

class HeldService {
  readonly service: SyncService;

  constructor(service: SyncService) {
    this.service = service;
  }

  /** Nothing to let go of: the store is the repository's. */
  async close(): Promise<void> {}
}

export function syncOf(served: Served, context: ServerContext): SyncService {
  return served.shared('sync', () => new HeldService(open(served, context))).service;
}

function open({ repository }: Served, { environment, limits }: ServerContext): SyncService {
  return new SyncService({
    store: repository.store,
    software: environment.software,
    now: environment.now,
    randomId: environment.randomId,
    random: () => randomFraction(environment),
    sleep: (ms) => sleep(ms),
    limits,
  });
}

/** Uniform in [0, 1). */
function randomFraction({ random }: ServerEnvironment): number {
  const bytes = random(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / UINT32;
}

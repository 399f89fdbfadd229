/** The limits of HTTP that a server has unless told otherwise (docs/server.md lists them). */
import type { HttpLimits } from './contract.ts';

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  urlBytes: 4096,
  headerBytes: 16 * 1024,
  jsonBytes: 1024 * 1024,
  stallMs: 30_000,
  requestMs: 300_000,
  bodyBytesInFlight: 64 * 1024 * 1024,
  requestsPerSecond: 2000,
  requestBurst: 4000,
  failedTokensPerMinute: 60,
  connections: 5000,
  idleRepositories: 64,
  graceMs: 30_000,
};

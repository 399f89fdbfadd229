/**
 * Every file of routes, in the order of the OpenAPI document, whose own comes first: it
 * hears of those that follow. A new one is added here.
 */
import type { RegisterRoutes } from './contract.ts';
import { register as registerChanges } from './routes/changes.ts';
import { register as registerDiff } from './routes/diff.ts';
import { register as registerFetch } from './routes/fetch.ts';
import { register as registerHealth } from './routes/health.ts';
import { register as registerHistory } from './routes/history.ts';
import { register as registerInfo } from './routes/info.ts';
import { register as registerOpenApi } from './routes/openapi.ts';
import { register as registerPush } from './routes/push.ts';
import { register as registerRefs } from './routes/refs.ts';
import { register as registerRows } from './routes/rows.ts';
import { register as registerWatch } from './routes/watch.ts';

export const ROUTES: readonly RegisterRoutes[] = [
  registerOpenApi,
  registerHealth,
  registerInfo,
  registerChanges,
  registerRows,
  registerDiff,
  registerHistory,
  registerRefs,
  registerFetch,
  registerPush,
  registerWatch,
];

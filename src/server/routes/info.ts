/** `GET /v1/info`: what this server speaks and takes, for anybody. */
import { PROTOCOL_VERSIONS } from '../../sync/protocol.ts';
import type { RegisterRoutes } from '../contract.ts';
import { jsonOf } from './openapi.ts';

/** What this server can do beyond version 1, for clients to ask for. */
export const FEATURES: readonly string[] = [];

export const register: RegisterRoutes = (app, context) => {
  app.get('/v1/info', { config: { openapi: INFO } }, async () => ({
    protocol: PROTOCOL_VERSIONS,
    software: context.environment.software,
    features: FEATURES,
    limits: context.limits,
  }));
};

const INFO = {
  operationId: 'getServerInfo',
  summary: 'Protocol versions, features and limits of the server',
  authenticated: false,
  responses: { 200: jsonOf('ServerInfo', 'What the server speaks') },
};

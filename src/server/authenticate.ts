/**
 * Who sends a request: the owner of the bearer token; without one, where no token exists and
 * the server may be open, `anonymous`, who may do everything. An unknown token and a wrong
 * one get the same answer, and who tries many of them waits.
 */
import type { FastifyRequest } from 'fastify';
import { DvError } from '../errors.ts';
import type { HttpLimits, Principal, ServerEnvironment, TokenVerifier } from './contract.ts';
import { RateLimit } from './rate-limit.ts';

export const ANONYMOUS: Principal = {
  id: 'anonymous',
  name: 'anonymous',
  roles: [{ role: 'admin', repositories: '*' }],
};

export interface AuthenticationOptions {
  readonly tokens: TokenVerifier;
  /** Whether the server may be used without a token while there is none. */
  readonly open: boolean;
  readonly limits: HttpLimits;
  readonly environment: ServerEnvironment;
}

export type Authenticate = (request: FastifyRequest) => Promise<Principal>;

export interface Authentication {
  /** Found once for each request. @throws DvError `unauthorized`, `limit-exceeded` */
  readonly authenticate: Authenticate;
  /** Whom `authenticate` found, once it has. */
  readonly callerOf: (request: FastifyRequest) => Principal | undefined;
}

export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { limits, environment } = options;
  const { requestsPerSecond, requestBurst, failedTokensPerMinute } = limits;
  const requests = new RateLimit(requestsPerSecond, requestBurst, environment.monotonic);
  const failures = new RateLimit(
    failedTokensPerMinute / 60,
    failedTokensPerMinute,
    environment.monotonic,
  );
  const asked = new WeakMap<FastifyRequest, Promise<Principal>>();
  const known = new WeakMap<FastifyRequest, Principal>();

  async function find(request: FastifyRequest): Promise<Principal> {
    refuseWhile(failures.wait(request.ip), 'too many tokens that are not right');
    try {
      const principal = await identify(request, options);
      known.set(request, principal);
      refuseWhile(requests.take(`${principal.id} ${request.ip}`), 'too many requests');
      return principal;
    } catch (error) {
      if (error instanceof DvError && error.code === 'unauthorized') failures.take(request.ip);
      throw error;
    }
  }

  return {
    authenticate(request) {
      const found = asked.get(request) ?? find(request);
      asked.set(request, found);
      return found;
    },
    callerOf: (request) => known.get(request),
  };
}

async function identify(
  request: FastifyRequest,
  { tokens, open }: AuthenticationOptions,
): Promise<Principal> {
  const token = bearerOf(request);
  const needsToken = !open || (await tokens.configured());
  if (token === undefined) {
    if (!needsToken) return ANONYMOUS;
    throw new DvError('unauthorized', 'this server wants a token', {
      hint: 'set DV_TOKEN; dv token create makes one at the server',
    });
  }
  const principal = await tokens.verify(token);
  if (principal !== undefined) return principal;
  if (!needsToken) return ANONYMOUS;
  throw new DvError('unauthorized', 'the token is not one of this server', {
    hint: 'it may have been revoked; dv token list shows what there is, at the server',
  });
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  const text = headers.authorization;
  if (text === undefined) return undefined;
  const token = /^Bearer +(\S+)$/i.exec(text)?.[1];
  if (token !== undefined) return token;
  throw new DvError('unauthorized', 'the authorization header holds no bearer token', {
    hint: 'send authorization: Bearer dv_...',
  });
}

function refuseWhile(seconds: number, what: string): void {
  if (seconds <= 0) return;
  const retryAfter = Math.ceil(seconds);
  throw new DvError('limit-exceeded', `${what} from here`, {
    hint: `wait ${retryAfter} s`,
    data: { status: 429, retryAfter },
  });
}

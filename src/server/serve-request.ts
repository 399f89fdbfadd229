/**
 * From a request to a repository that its caller may use (`ServerContext.open`): name,
 * caller, permission, repository, in this order, so that an answer tells nothing about
 * repositories that the caller may not read.
 */
import type { FastifyRequest } from 'fastify';
import { DvError } from '../errors.ts';
import type { Caller, RefCommand } from '../sync/protocol.ts';
import { checkRepositoryName } from '../sync/repository-name.ts';
import type { Authenticate } from './authenticate.ts';
import { authorize, type Change } from './authorize.ts';
import type {
  Action,
  OpenedRepository,
  OpenOptions,
  Principal,
  RepositoryDirectory,
  Served,
} from './contract.ts';
import type { Lease, OpenRepositories } from './open-repositories.ts';

export interface ServingParts {
  readonly authenticate: Authenticate;
  readonly directory: RepositoryDirectory;
  readonly repositories: OpenRepositories;
  /** Runs when the answer to a request is over, however it ended. */
  readonly atEnd: (request: FastifyRequest, what: () => void) => void;
}

export async function serveRequest(
  request: FastifyRequest,
  action: Action,
  { create = false }: OpenOptions,
  parts: ServingParts,
): Promise<Served> {
  const principal = await parts.authenticate(request);
  const name = nameOf(request);
  if (!authorize(principal, 'read', { repository: name })) throw unknown(name, false);
  const lease =
    (await parts.repositories.lease(name)) ??
    (await createOrRefuse(name, principal, create, parts));
  parts.atEnd(request, lease.release);
  const served = servedOf(lease, principal, name);
  served.require(action);
  return served;
}

async function createOrRefuse(
  name: string,
  principal: Principal,
  wanted: boolean,
  { directory, repositories }: ServingParts,
): Promise<Lease> {
  const make = directory.create;
  const may = make !== undefined && authorize(principal, 'create-repository', { repository: name });
  if (!wanted || !may) throw unknown(name, may);
  return repositories.create(name, make);
}

function servedOf(lease: Lease, principal: Principal, name: string): Served {
  return {
    repository: lease.repository,
    principal,
    caller: callerOf(lease.repository, principal),
    require(action, ref) {
      const change = ref === undefined ? undefined : 'move';
      if (authorize(principal, action, { repository: name, ref }, change)) return;
      throw forbidden(principal, action, ref ?? name);
    },
    shared: lease.shared,
  };
}

function callerOf(repository: OpenedRepository, principal: Principal): Caller {
  return {
    actor: principal.name,
    async allow(command) {
      const [action, change] = changeOf(command);
      const target = { repository: repository.name, ref: command.ref };
      if (!authorize(principal, action, target, change)) {
        throw forbidden(principal, action, command.ref);
      }
      await repository.guard?.(command);
    },
  };
}

function changeOf(command: RefCommand): readonly [Action, Change] {
  if (command.new === null) return ['delete-ref', 'delete'];
  if (command.strategy === 'force') return ['force', command.old === null ? 'create' : 'force'];
  return ['push', command.old === null ? 'create' : 'move'];
}

/** An impossible name is one that no repository has. */
function nameOf(request: FastifyRequest): string {
  const { repo = '' } = request.params as { repo?: string };
  try {
    return checkRepositoryName(repo);
  } catch {
    throw unknown(repo, false);
  }
}

function unknown(name: string, creatable: boolean): DvError {
  const shown = name.length > 120 ? `${name.slice(0, 120)}…` : name;
  return new DvError('unknown-repository', `there is no repository '${shown}' for you here`, {
    hint: creatable ? 'dv push makes it' : 'check the name and the token',
    data: { repository: shown, creatable },
  });
}

const ACT: Readonly<Record<Action, string>> = {
  read: 'read',
  push: 'push to',
  force: 'force',
  'delete-ref': 'delete',
  'create-repository': 'create',
  'write-rows': 'write rows to',
  'manage-tokens': 'manage tokens of',
  'read-metrics': 'read the metrics of',
};

export function forbidden(principal: Principal, action: Action, what: string): DvError {
  return new DvError('forbidden', `${principal.name} may not ${ACT[action]} '${what}'`, {
    hint: 'ask for a token that may',
    data: { action, target: what, principal: principal.id },
  });
}

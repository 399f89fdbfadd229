/**
 * Who may do what: one pure function over roles, deny by default. A principal has bindings
 * (role, repositories); one that allows is enough. Rules of branches come in here, as
 * further conditions on `change`. The matrix of all roles, actions and targets is a test.
 */

import { BRANCH_PREFIX, TAG_PREFIX } from '../model/names.ts';
import type { Action, Principal } from './contract.ts';

export interface Target {
  /** undefined: the server itself. */
  readonly repository?: string;
  /** Full name. */
  readonly ref?: string;
}

/** What happens to the ref. */
export type Change = 'create' | 'move' | 'force' | 'delete';

interface Role {
  readonly actions: readonly Action[];
  /** Changes by kind of ref; refs of other kinds are changed by nobody. */
  readonly branches: readonly Change[];
  readonly tags: readonly Change[];
}

const ALL_CHANGES: readonly Change[] = ['create', 'move', 'force', 'delete'];

export const ROLES: Readonly<Record<string, Role>> = {
  /** Fetches, compares, watches. */
  reader: { actions: ['read'], branches: [], tags: [] },
  /** Pushes to branches, creates and deletes them, creates tags; a tag stays where it is. */
  writer: {
    actions: ['read', 'push', 'force', 'delete-ref', 'write-rows'],
    branches: ALL_CHANGES,
    tags: ['create'],
  },
  admin: {
    actions: [
      'read',
      'push',
      'force',
      'delete-ref',
      'create-repository',
      'write-rows',
      'manage-tokens',
      'read-metrics',
    ],
    branches: ALL_CHANGES,
    tags: ALL_CHANGES,
  },
};

export function authorize(
  principal: Principal,
  action: Action,
  target: Target,
  change?: Change,
): boolean {
  return principal.roles.some((binding) => {
    const role = Object.hasOwn(ROLES, binding.role) ? ROLES[binding.role] : undefined;
    if (role === undefined || !role.actions.includes(action)) return false;
    if (!reaches(binding.repositories, target.repository)) return false;
    return change === undefined || mayChange(role, target.ref, change);
  });
}

function mayChange(role: Role, ref: string | undefined, change: Change): boolean {
  if (ref?.startsWith(BRANCH_PREFIX)) return role.branches.includes(change);
  if (ref?.startsWith(TAG_PREFIX)) return role.tags.includes(change);
  return false;
}

/** The server itself belongs to those whose binding is for every repository. */
function reaches(pattern: string, repository: string | undefined): boolean {
  return repository === undefined ? pattern === '*' : matchesName(pattern, repository);
}

/** `*` stands for any text, slashes included; all else for itself. Linear in the name. */
export function matchesName(pattern: string, name: string): boolean {
  const [head, ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === name;
  if (!name.startsWith(head)) return false;
  const tail = rest[rest.length - 1];
  let at = head.length;
  for (const part of rest.slice(0, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - at >= tail.length && name.endsWith(tail);
}

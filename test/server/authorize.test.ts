/**
 * The whole matrix: every role, action, kind of ref and change, against a table written out
 * by hand; and what patterns of repositories reach, against a slow model.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authorize, type Change, matchesName, ROLES } from '../../src/server/authorize.ts';
import type { Action, Principal } from '../../src/server/contract.ts';

const ACTIONS: readonly Action[] = [
  'read',
  'push',
  'force',
  'delete-ref',
  'create-repository',
  'write-rows',
  'manage-tokens',
  'read-metrics',
];
const CHANGES: readonly Change[] = ['create', 'move', 'force', 'delete'];
const REFS = {
  branch: 'refs/heads/main',
  tag: 'refs/tags/v1',
  remote: 'refs/remotes/origin/main',
  head: 'HEAD',
  lookalike: 'refs/headsmain',
};

/** `role action` for everything that is allowed at a repository. */
const MAY_ACT = new Set([
  'reader read',
  'writer read',
  'writer push',
  'writer force',
  'writer delete-ref',
  'writer write-rows',
  ...ACTIONS.map((action) => `admin ${action}`),
]);

/** `role kind-of-ref change`. */
const MAY_CHANGE = new Set([
  'writer branch create',
  'writer branch move',
  'writer branch force',
  'writer branch delete',
  'writer tag create',
  ...['branch', 'tag'].flatMap((kind) => CHANGES.map((change) => `admin ${kind} ${change}`)),
]);

const holderOf = (role: string, repositories = 'team/*'): Principal => ({
  id: 'token:x',
  name: 'x',
  roles: [{ role, repositories }],
});

describe('the matrix', () => {
  const roles = [...Object.keys(ROLES), 'nobody', 'constructor', '__proto__'];

  test('of roles and actions', () => {
    const allowed = roles.flatMap((role) =>
      ACTIONS.filter((action) => authorize(holderOf(role), action, { repository: 'team/a' })).map(
        (action) => `${role} ${action}`,
      ),
    );
    expect(new Set(allowed)).toEqual(MAY_ACT);
  });

  test('of roles, refs and changes', () => {
    for (const role of roles) {
      for (const [kind, ref] of Object.entries(REFS)) {
        for (const change of CHANGES) {
          const target = { repository: 'team/a', ref };
          const expected = MAY_CHANGE.has(`${role} ${kind} ${change}`);
          const what = `${role} ${kind} ${change}`;
          expect(authorize(holderOf(role), 'push', target, change), what).toBe(expected);
        }
      }
    }
  });

  test('of roles at repositories that a binding does not reach', () => {
    for (const role of roles) {
      for (const action of ACTIONS) {
        for (const repository of ['other', 'team', 'x/team/a', '']) {
          expect(authorize(holderOf(role), action, { repository })).toBe(false);
        }
        // The server itself: only for whoever has it all.
        expect(authorize(holderOf(role), action, {})).toBe(false);
        expect(authorize(holderOf(role, '*'), action, {})).toBe(MAY_ACT.has(`${role} ${action}`));
      }
    }
  });

  test('one binding is enough, and none is nothing', () => {
    const two = { ...holderOf('reader', '*'), roles: [] as Principal['roles'] };
    expect(authorize(two, 'read', { repository: 'a' })).toBe(false);
    const bound = {
      ...two,
      roles: [
        { role: 'reader', repositories: 'a' },
        { role: 'writer', repositories: 'b' },
      ],
    };
    expect(authorize(bound, 'push', { repository: 'b' })).toBe(true);
    expect(authorize(bound, 'push', { repository: 'a' })).toBe(false);
    expect(authorize(bound, 'read', { repository: 'a' })).toBe(true);
  });
});

describe('patterns', () => {
  const text = fc.stringMatching(/^[ab/.*]{0,8}$/);

  test('agree with regular expressions', () => {
    fc.assert(
      fc.property(text, fc.stringMatching(/^[ab/.]{0,8}$/), (pattern, name) => {
        const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
        expect(matchesName(pattern, name)).toBe(new RegExp(`^${parts.join('.*')}$`).test(name));
      }),
      { numRuns: 2000 },
    );
  });
});

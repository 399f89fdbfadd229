/** The checker of records: it takes what a correct ref could have done, and nothing else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findViolations,
  type Head,
  type Operation,
  type PushOperation,
  type ReadOperation,
  type RefHistory,
} from '../support/ref-history.ts';

const push = (
  commit: string,
  [invoked, returned]: readonly [number, number],
  outcome: PushOperation['outcome'] = 'accepted',
  head: string | null = outcome === 'accepted' ? commit : null,
): PushOperation => ({ kind: 'push', commit, outcome, head, invoked, returned });
const read = (head: string, [invoked, returned]: readonly [number, number]): ReadOperation => ({
  kind: 'read',
  head,
  invoked,
  returned,
});
const chain = (...commits: string[]): Head[] =>
  commits.map((commit, i) => ({
    commit,
    parents: i === 0 ? [] : [commits[i - 1]],
    descends: i > 0,
  }));

const SOUND: RefHistory = {
  heads: [
    ...chain('base', 'a', 'b'),
    { commit: 'm', parents: ['b', 'c'], descends: true },
    { commit: 'd', parents: ['m'], descends: true },
  ],
  operations: [
    push('a', [0, 10]),
    push('b', [5, 20]),
    push('c', [6, 30], 'accepted', 'm'),
    push('d', [7, 8], 'unknown'),
    push('e', [40, 50], 'unknown'),
    push('f', [31, 40], 'refused', 'm'),
    read('base', [1, 4]),
    read('b', [20, 25]),
    read('d', [60, 61]),
  ],
};

test('a sound record has no violations', () => {
  expect(findViolations(SOUND)).toEqual([]);
});

/** The sound record with one thing doctored. */
const doctored: Record<string, Partial<RefHistory>> = {
  'an accepted push is not in it': { operations: [...SOUND.operations, push('x', [70, 80])] },
  'a refused push is in it': {
    operations: [...SOUND.operations.slice(1), push('a', [0, 10], 'refused')],
  },
  'a head that nobody pushed': { operations: SOUND.operations.slice(1) },
  'a merge of something else': {
    heads: SOUND.heads.map((head) =>
      head.commit === 'm' ? { ...head, parents: ['b', 'z'] } : head,
    ),
  },
  'a swap that loses the head before': {
    heads: SOUND.heads.map((head) => (head.commit === 'b' ? { ...head, descends: false } : head)),
  },
  'a commit that makes two swaps': {
    heads: [...SOUND.heads, { commit: 'n', parents: ['d', 'c'], descends: true }],
  },
  'a read goes back': { operations: [...SOUND.operations, read('a', [21, 22])] },
  'a read of a head to come': { operations: [...SOUND.operations, read('d', [1, 5])] },
  'a read of what was never the head': { operations: [...SOUND.operations, read('c', [6, 30])] },
  'two reads in the wrong order': {
    operations: [...SOUND.operations, read('d', [34, 35]), read('m', [36, 37])],
  },
  'a refusal that saw an old head': {
    operations: [...SOUND.operations, push('y', [41, 42], 'refused', 'a')],
  },
  'swaps against real time': {
    operations: [push('a', [12, 14]), push('b', [5, 11]), ...SOUND.operations.slice(2)],
  },
};

describe('is not sound when', () => {
  test.each(Object.entries(doctored))('%s', (_, change) => {
    expect(findViolations({ ...SOUND, ...change })).not.toEqual([]);
  });
});

/** Every order of the operations that fits their times, tried one by one. */
function isLinearizable({ heads, operations }: RefHistory): boolean {
  const go = (head: number, left: readonly Operation[]): boolean => {
    if (left.length === 0) return head === heads.length - 1;
    const firstReturn = Math.min(...left.map(({ returned }) => returned));
    return left.some((one) => {
      if (one.invoked >= firstReturn) return false;
      const others = left.filter((other) => other !== one);
      if (one.kind === 'read') return heads[head].commit === one.head && go(head, others);
      return heads[head + 1]?.commit === one.commit && go(head + 1, others);
    });
  };
  return go(0, operations);
}

test('says the same as trying every order', async () => {
  const interval = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 12 }));
  let sound = 0;
  fc.assert(
    fc.property(
      fc.array(interval, { maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(4), interval), { maxLength: 4 }),
      (pushes, reads) => {
        const names = ['base', ...pushes.map((_, i) => `c${i}`)];
        // distinct moments, as a clock gives them
        let tie = 0;
        const at = ([from, length]: readonly [number, number]): [number, number] => {
          tie += 0.01;
          return [from + tie, from + length + tie + 0.001];
        };
        const history: RefHistory = {
          heads: chain(...names),
          operations: [
            ...pushes.map((one, i) => push(names[i + 1], at(one))),
            ...reads.map(([place, one]) => read(names[place % names.length], at(one))),
          ],
        };
        const expected = isLinearizable(history);
        sound += Number(expected);
        expect(findViolations(history).length === 0).toBe(expected);
      },
    ),
    { numRuns: 2000 },
  );
  expect(sound).toBeGreaterThan(100);
});

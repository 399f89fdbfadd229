/** `dv table rules`: what it shows, sets, and how diffs and patches tell it. */
import { expect, test } from 'vitest';
import { CITIES, openDataRepository } from '../support/cli-data.ts';

test('rules are shown, set, told by a diff, and taken along by a patch', async () => {
  const { dv, json, run, commit } = await openDataRepository();
  await commit('one', { 'cities.csv': CITIES });
  expect(await dv('table', 'rules', 'cities.csv', 'population=max', '*=latest')).toBe(
    [
      '  column      type     rule',
      '  id          integer  key',
      '  name        text     latest  by *',
      '  population  integer  max',
      '',
      '  rows  conflict',
      '',
    ].join('\n'),
  );
  expect(await dv('diff', '--cached')).toBe(
    'cities.csv  key id\n  ~ merge rules: none → population=max, *=latest\n  no rows changed\n',
  );
  expect(await dv('diff', '--cached', '--stat')).toMatch(/ \| \d schema changes?$/m);
  expect(await dv('diff', '--cached', '--format', 'sql')).not.toMatch(/ALTER|CREATE/);
  for (const form of [
    ['--format', 'patch'],
    ['--complete', '--json'],
  ]) {
    const patch = await dv('diff', '--cached', ...form);
    const staged = await dv('hash', 'cities.csv');
    expect((await run(['apply', '--index', '-R'], { input: patch })).status).toBe(0);
    expect(await dv('hash', 'cities.csv')).toBe(await dv('hash', 'HEAD:cities.csv'));
    expect((await run(['apply', '--index'], { input: patch })).status).toBe(0);
    expect(await dv('hash', 'cities.csv')).toBe(staged);
  }
  expect(await dv('status', '--short')).toBe('M  cities.csv\n');
  await dv('commit', '-m', 'rules');
  expect(await dv('status', '--short')).toBe('');
  expect(await dv('fsck')).toMatch(/sound/);
  expect(await json('table', 'rules', 'HEAD:cities.csv', '--json')).toMatchObject([
    { table: 'cities.csv', others: 'latest', rows: 'conflict' },
  ]);
});

test('bad rules say what would do', async () => {
  const { run, commit, dv } = await openDataRepository();
  await commit('one', { 'cities.csv': CITIES });
  const refuse = async (word: string) => {
    const { status, stderr } = await run(['table', 'rules', 'cities.csv', word]);
    return [status, stderr];
  };
  expect(await refuse('name=sum')).toEqual([
    3,
    'error: the rule "sum" does not suit "name", a column of type text\n' +
      'hint: it suits columns of type integer, decimal, float\n',
  ]);
  expect(await refuse('id=max')).toEqual([
    3,
    'error: the key column "id" takes no rule\nhint: no merge changes a key\n',
  ]);
  expect(await refuse('name=longest')).toEqual([
    2,
    'error: there is no rule "longest" for columns\nhint: the rules are conflict, ours, ' +
      'theirs, latest, max, min, sum, union, json, text; none takes a rule away\n',
  ]);
  expect(await dv('status', '--short')).toBe('');
});

/** `resolve`: by side, rule, value and file; narrowed; and what names no conflict is refused. */
import { expect, test } from 'vitest';
import { add } from '../../src/porcelain/add.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { exportConflicts, resolveFromFile } from '../../src/porcelain/conflict-file.ts';
import { merge } from '../../src/porcelain/merge.ts';
import { type ResolveRequest, resolve } from '../../src/porcelain/resolve-choices.ts';
import { abortMerge } from '../../src/porcelain/settle-merge.ts';
import { Branched, csv, FILE } from '../support/branched.ts';

const HEADER = 'id,name,pop,note';
const BASE = csv(HEADER, '1,a,10,x', '2,b,20,x', '3,c,30,x', '4,d,40,x');
const OURS = csv(HEADER, '1,a,12,ours', '2,b,21,x', '3,c,31,x', '4,d,40,x', '5,five,5,');
const THEIRS = csv(HEADER, '1,a,15,theirs', '2,b,19,x', '4,d,40,y', '5,fünf,5,');

const open = async (): Promise<Branched> => {
  const scene = await Branched.apart(BASE, OURS, THEIRS);
  expect((await merge(scene.repo, ['side'])).outcome).toBe('conflicts');
  return scene;
};

const side = (name: 'ours' | 'theirs' | 'base') => ({ kind: 'side', side: name }) as const;

test('what is in conflict, and what the file shows meanwhile', async () => {
  await using scene = await open();
  expect(await scene.conflicts()).toEqual(['1: pop note', '2: pop', '3: ', '5: name']);
  expect(scene.read()).toBe(
    csv(HEADER, '1,a,12,ours', '2,b,21,x', '3,c,31,x', '4,d,40,y', '5,five,5,'),
  );
});

const whole: [string, ResolveRequest, string][] = [
  ['ours', { choice: side('ours') }, OURS.replace('40,x', '40,y')],
  ['theirs', { choice: side('theirs') }, THEIRS],
  [
    'base, where a row that both added goes',
    { choice: side('base') },
    BASE.replace('40,x', '40,y'),
  ],
];

test.each(whole)('all of %s, then the commit', async (_, request, merged) => {
  await using scene = await open();
  expect(await resolve(scene.repo, request)).toMatchObject({ resolved: 4, partly: 0, left: 0 });
  expect(await scene.conflicts()).toEqual([]);
  await commit(scene.repo, {});
  expect(scene.read()).toBe(merged);
  expect(await scene.problems()).toEqual([]);
});

const some: [string, ResolveRequest, string[]][] = [
  ['a key', { choice: side('theirs'), keys: [['2']] }, ['1: pop note', '3: ', '5: name']],
  ['a column', { choice: side('theirs'), columns: ['pop'] }, ['1: note', '3: ', '5: name']],
  [
    'a condition on both sides',
    { choice: side('ours'), where: 'ours_pop > theirs_pop' },
    ['1: pop note', '3: ', '5: name'],
  ],
  [
    'a condition on base',
    { choice: side('ours'), where: 'base_id IS NULL' },
    ['1: pop note', '2: pop', '3: '],
  ],
  [
    'a rule',
    { choice: { kind: 'rule', rule: 'max' }, columns: ['pop'] },
    ['1: note', '3: ', '5: name'],
  ],
  [
    'a rule that decides all that it can',
    { choice: { kind: 'rule', rule: 'sum' } },
    ['1: note', '3: ', '5: name'],
  ],
  [
    'a value',
    { choice: { kind: 'values', values: new Map([['note', 'by hand']]) }, keys: [['1']] },
    ['1: pop', '2: pop', '3: ', '5: name'],
  ],
];

test.each(some)('by %s, and the rest stays', async (_, request, left) => {
  await using scene = await open();
  await resolve(scene.repo, request);
  await scene.reopen();
  expect(await scene.conflicts()).toEqual(left);
  await abortMerge(scene.repo);
  expect(scene.read()).toBe(OURS);
  expect(await scene.problems()).toEqual([]);
});

test('each conflict its own way', async () => {
  await using scene = await open();
  const { repo } = scene;
  await resolve(repo, { choice: { kind: 'rule', rule: 'sum' }, columns: ['pop'] });
  await resolve(repo, {
    choice: { kind: 'values', values: new Map([['note', null]]) },
    keys: [['1']],
  });
  await resolve(repo, { choice: side('theirs'), keys: [['3']] });
  await resolve(repo, { choice: side('theirs'), tables: [FILE] });
  await commit(repo, {});
  expect(scene.read()).toBe(csv(HEADER, '1,a,17,', '2,b,20,x', '4,d,40,y', '5,fünf,5,'));
});

const refused: [string, ResolveRequest, string][] = [
  ['a key that is in no conflict', { choice: side('ours'), keys: [['4']] }, 'no-such-conflict'],
  ['a table without one', { choice: side('ours'), tables: ['other.csv'] }, 'no-such-conflict'],
  ['a condition that matches none', { choice: side('ours'), where: '0' }, 'no-such-conflict'],
  ['a broken condition', { choice: side('ours'), where: 'pop >' }, 'bad-condition'],
  [
    'a rule that suits no cell that is left',
    { choice: { kind: 'rule', rule: 'union' } },
    'no-such-conflict',
  ],
  [
    'a value of another type',
    { choice: { kind: 'values', values: new Map([['pop', 'many']]) }, keys: [['1']] },
    'type-mismatch',
  ],
  [
    'a column that is not there',
    { choice: { kind: 'values', values: new Map([['popp', '1']]) }, keys: [['1']] },
    'unknown-column',
  ],
  [
    'a value for the key',
    { choice: { kind: 'values', values: new Map([['id', '7']]) }, keys: [['1']] },
    'bad-option',
  ],
];

test.each(refused)('%s is refused, and nothing changes', async (_, request, code) => {
  await using scene = await open();
  const before = [await scene.conflicts(), scene.read()];
  await expect(resolve(scene.repo, request)).rejects.toMatchObject({ code });
  expect([await scene.conflicts(), scene.read()]).toEqual(before);
});

test('without a merge there is nothing to resolve', async () => {
  await using scene = await Branched.open(BASE);
  await expect(resolve(scene.repo, { choice: side('ours') })).rejects.toMatchObject({
    code: 'no-merge',
  });
});

test('edits in the file are kept from being overwritten, and added they count', async () => {
  await using scene = await open();
  const { repo } = scene;
  const edited = scene.read().replace('4,d,40,y', '4,d,44,y');
  scene.write(edited);
  await expect(resolve(repo, { choice: side('ours') })).rejects.toMatchObject({
    code: 'unsaved-changes',
  });
  expect(scene.read()).toBe(edited);
  await add(repo, [scene.path]);
  await resolve(repo, { choice: side('theirs') });
  await commit(repo, {});
  expect(scene.read()).toBe(THEIRS.replace('4,d,40,y', '4,d,44,y'));
});

async function exported({ repo }: Branched): Promise<string> {
  let text = '';
  for await (const piece of exportConflicts(repo)) text += piece;
  return text;
}

/** The lines of an export with some cells filled in, as a spreadsheet would. */
function fill(text: string, edit: (cells: string[], at: number) => void): string {
  return text
    .split('\n')
    .map((line, at) => {
      const cells = line.split(',');
      edit(cells, at);
      return cells.join(',');
    })
    .join('\n');
}

test('a file filled in settles conflicts, by side and by cell', async () => {
  await using scene = await open();
  const text = await exported(scene);
  const [header] = text.split('\n');
  expect(header).toBe('table,conflict,side,take,id,name,pop,note');
  const filled = fill(text, (cells) => {
    const [, , kind, , id] = cells;
    if (kind !== 'resolved') return;
    if (id === '1') [cells[6], cells[7]] = ['99', 'filled'];
    if (id === '2') cells[3] = 'theirs';
    if (id === '3') cells[3] = 'theirs';
  });
  const result = await resolveFromFile(scene.repo, filled, 'x.csv');
  expect(result).toMatchObject({ resolved: 3, left: 1 });
  expect(await resolveFromFile(scene.repo, await exported(scene), 'y.csv')).toMatchObject({
    resolved: 0,
    left: 1,
  });
  expect(await scene.conflicts()).toEqual(['5: name']);
  await resolve(scene.repo, { choice: side('ours') });
  await commit(scene.repo, {});
  expect(scene.read()).toBe(csv(HEADER, '1,a,99,filled', '2,b,19,x', '4,d,40,y', '5,five,5,'));
});

const nonsense: [string, (text: string) => string, string][] = [
  ['no CSV of conflicts', () => 'hello\n', 'bad-resolution'],
  ['nothing in it', () => '', 'bad-resolution'],
  ['no line to resolve', (text) => text.replace(/^[^\n]*,resolved,.*\n/gm, ''), 'bad-resolution'],
  ['a column less', (text) => text.replaceAll(',take,', ','), 'bad-resolution'],
  ['another header', (text) => text.replace('side', 'seite'), 'bad-resolution'],
  [
    'a side that is none',
    (text) =>
      fill(text, (cells) => {
        if (cells[2] === 'resolved') cells[3] = 'mine';
      }),
    'bad-resolution',
  ],
  [
    'a key that is in no conflict',
    (text) =>
      fill(text, (cells) => {
        if (cells[2] !== 'resolved' || cells[4] !== '2') return;
        cells[3] = 'ours';
        cells[4] = '77';
      }),
    'no-such-conflict',
  ],
  [
    'a number that is none',
    (text) =>
      fill(text, (cells) => {
        if (cells[2] === 'resolved' && cells[4] === '1') cells[6] = 'many';
      }),
    'type-mismatch',
  ],
  ['a quote that does not end', (text) => `${text}"`, 'unterminated-quote'],
];

test.each(nonsense)('a file with %s is refused, and nothing changes', async (_, edit, code) => {
  await using scene = await open();
  const before = [await scene.conflicts(), scene.read()];
  const text = edit(await exported(scene));
  await expect(resolveFromFile(scene.repo, text, 'x.csv')).rejects.toMatchObject({ code });
  expect([await scene.conflicts(), scene.read()]).toEqual(before);
});

test('a cell filled in of a row with several settles that cell', async () => {
  await using scene = await open();
  const filled = fill(await exported(scene), (cells) => {
    if (cells[2] === 'resolved' && cells[4] === '1') cells[6] = '13';
  });
  const result = await resolveFromFile(scene.repo, filled, 'x.csv');
  expect(result).toMatchObject({ resolved: 0, partly: 1, left: 4 });
  expect(await scene.conflicts()).toEqual(['1: note', '2: pop', '3: ', '5: name']);
});

test('a table that cannot be merged is decided as a whole', async () => {
  await using scene = await Branched.apart(
    csv('id,a', '1,x'),
    csv('id,b', '1,x', '2,y'),
    csv('id,c', '1,x', '3,z'),
  );
  const { repo } = scene;
  const result = await merge(repo, ['side']);
  expect(result.conflicts).toMatchObject([{ kind: 'table', table: FILE }]);
  await expect(resolve(repo, { choice: side('theirs'), keys: [['1']] })).rejects.toMatchObject({
    code: 'no-such-conflict',
  });
  expect(await resolve(repo, { choice: side('theirs') })).toMatchObject({ resolved: 1, left: 0 });
  await commit(repo, {});
  expect(scene.read()).toBe(csv('id,c', '1,x', '3,z'));
  expect(await scene.problems()).toEqual([]);
});

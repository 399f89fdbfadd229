/** The buffered writer, the progress line, and what is decided without a process. */
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { toDvError } from '../../src/cli/foreign-error.ts';
import { asksForJson, mergeGlobalFlags, parseLeadingFlags } from '../../src/cli/global-flags.ts';
import { Output, OutputClosed } from '../../src/cli/output.ts';
import { ProgressLine, renderProgress } from '../../src/cli/progress.ts';
import { nearest } from '../../src/cli/suggest.ts';
import { DvError } from '../../src/errors.ts';

/** No such file: the first block goes to the stream as well. */
const NO_DESCRIPTOR = -1;

describe('output', () => {
  /** An output onto a stream, past its first direct write. */
  function onto(stream: Writable): Output {
    const output = new Output('the test', NO_DESCRIPTOR, () => stream);
    output.bytes(new Uint8Array());
    return output;
  }

  test('keeps the order of text, JSON and bytes', async () => {
    const stream = new PassThrough();
    const output = onto(stream);
    output.write('a');
    output.json({ b: 1 });
    output.bytes(Buffer.from('c'));
    output.line('d');
    await output.flush();
    expect(stream.read().toString()).toBe('a{"b":1}\ncd\n');
  });

  test('waits for a slow reader', async () => {
    const waiting: (() => void)[] = [];
    const stream = new Writable({
      highWaterMark: 10,
      write: (_block, _encoding, done) => waiting.push(done),
    });
    const output = onto(stream);
    waiting.shift()?.();
    output.write('a'.repeat(100_000));
    let flushed = false;
    const flushing = output.flush().then(() => {
      flushed = true;
    });
    await new Promise(setImmediate);
    expect(flushed).toBe(false);
    for (let done = waiting.shift(); done !== undefined; done = waiting.shift()) {
      done();
      await new Promise(setImmediate);
    }
    await flushing;
    expect(stream.writableLength).toBe(0);
  });

  test.each([
    ['EPIPE', OutputClosed],
    ['ENOSPC', DvError],
    ['EIO', DvError],
  ])('a stream that fails with %s', async (code, kind) => {
    const failure = Object.assign(new Error('it failed'), { code });
    const output = onto(new Writable({ write: (_block, _encoding, done) => done(failure) }));
    await expect(output.flush()).rejects.toThrow(kind);
    expect(() => output.write('more')).toThrow(kind);
  });
});

describe('progress', () => {
  const half = { label: 'a.csv', done: 50_000_000, total: 92_000_000, unit: 'bytes' } as const;

  test('with and without a total', () => {
    expect(renderProgress(half, 1000, 200)).toBe(
      'a.csv  ███████████░░░░░░░░░  54%  50.0 MB of 92.0 MB  50.0 MB/s  0:01 left',
    );
    expect(renderProgress({ ...half, total: undefined, unit: 'rows', done: 1 }, 2000, 200)).toBe(
      'a.csv  1 row  1 row/s',
    );
    expect(renderProgress({ ...half, done: 10 }, 1000, 200)).toContain('2555:33:19 left');
    expect(renderProgress({ ...half, done: 99, total: 98, unit: 'files' }, 0, 200)).toBe(
      'a.csv  ████████████████████  100%  99 files of 98 files',
    );
  });

  test('never wider than the terminal', () => {
    expect(renderProgress(half, 1000, 20)).toHaveLength(20);
  });

  test('is drawn late, seldom, over itself, and goes', () => {
    const drawn: string[] = [];
    let time = 0;
    const line = new ProgressLine({ draw: (text) => drawn.push(text), width: 80, now: () => time });
    for (; time < 1000; time += 10) line.report({ ...half, done: time });
    expect(drawn).toHaveLength(7);
    expect(drawn.every((text) => text.startsWith('\r\x1b[Ka.csv  '))).toBe(true);
    line.clear();
    line.clear();
    expect(drawn.slice(7)).toEqual(['\r\x1b[K']);
  });

  test('of quick work is never seen', () => {
    const line = new ProgressLine({
      draw: () => expect.unreachable(),
      width: 80,
      now: () => 100,
    });
    for (let done = 0; done < 1000; done++) line.report({ ...half, done });
    line.clear();
  });
});

test('the nearest name', () => {
  const names = ['commit', 'config', 'log', 'reset', 'restore'];
  expect(nearest('comit', names)).toBe('commit');
  expect(nearest('ocmmit', names)).toBe('commit');
  expect(nearest('CONFIG', names)).toBe('config');
  expect(nearest('lgo', names)).toBe('log');
  expect(nearest('rest', names)).toBe('restore');
  expect(nearest('reste', names)).toBe('reset');
  expect(nearest('resto', names)).toBe('restore');
  expect(nearest('com', names)).toBe('commit');
  expect(nearest('merge', names)).toBeUndefined();
  expect(nearest('', names)).toBeUndefined();
});

test('flags before and behind the command add up', () => {
  const leading = parseLeadingFlags([
    '-C',
    'a',
    '-q',
    '--color=never',
    'diff',
    '--json',
    '-C',
    'x',
  ]);
  expect(leading).toEqual({
    flags: { directories: ['a'], json: false, quiet: true, color: 'never' },
    asks: undefined,
    rest: ['diff', '--json', '-C', 'x'],
  });
  expect(mergeGlobalFlags(leading.flags, { json: true, color: 'always' })).toEqual({
    directories: ['a'],
    json: true,
    quiet: true,
    color: 'always',
  });
  expect(mergeGlobalFlags(leading.flags, { color: false }).color).toBe('never');
  expect(asksForJson(['a', '--json'])).toBe(true);
  expect(asksForJson(['a', '--', '--json'])).toBe(false);
});

test.each([
  ['ENOSPC', 'disk-full'],
  ['ENOENT', 'file-missing'],
  ['EACCES', 'file-unreadable'],
  ['ESTRANGE', 'bug'],
])('an error of the system, %s, is %s', (code, expected) => {
  const error = toDvError(Object.assign(new Error('it failed'), { code, path: 'a' }));
  expect(error.code).toBe(expected);
  expect(error.message).toBe('it failed');
});

test('what is no error at all is a bug', () => {
  expect(toDvError('text').code).toBe('bug');
  const error = new DvError('locked', 'a');
  expect(toDvError(error)).toBe(error);
});

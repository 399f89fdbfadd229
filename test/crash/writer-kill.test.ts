/**
 * Two processes write rows to one branch and are killed at random: what was answered is
 * there, in history, once; a stream was taken exactly once. DV_KILLS sets how often.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Hash } from '../../src/hash.ts';
import { sourcesOf } from '../../src/live/source-offsets.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { lineOf, rowsAt } from '../support/written-rows.ts';

const WORKER = fileURLToPath(new URL('../support/write-worker.ts', import.meta.url));
const ROUNDS = Number(process.env.DV_KILLS ?? 8);

interface Told {
  readonly rows: Map<string, string>;
  taken: number;
  lines: number;
}

/** Runs a worker until it has said `lines` lines, then kills it where it stands. */
async function runAndKill(path: string, name: string, lines: number, told: Told): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [WORKER, path, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let heard = 0;
  for await (const line of createInterface({ input: child.stdout! })) {
    const [kind, what, commit] = line.split(' ');
    if (kind === 'row') told.rows.set(what, commit);
    if (kind === 'taken') told.taken = Math.max(told.taken, Number(what));
    heard += 1;
    told.lines += 1;
    if (heard === lines) child.kill('SIGKILL');
  }
  const [, signal] = await closed;
  expect(signal).toBe('SIGKILL');
}

test('what was answered is there, once', async () => {
  const path = join(temporaryDirectory(), 'store.db');
  const told: Told = { rows: new Map(), taken: 0, lines: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const lines = () => 3 + Math.floor(Math.random() * 60);
    await Promise.all(['a', 'b'].map((side) => runAndKill(path, `${side}${round}`, lines(), told)));
    const store = await openSqliteStore(path, { now: Date.now });
    const line = await lineOf(store, 'main');
    const head = line[line.length - 1];
    const rows = (await rowsAt(store, head.hash, 'rows'))?.rows.map(({ id }) => id) ?? [];
    const records = (await rowsAt(store, head.hash, 'stream'))?.rows.map((row) => row.record) ?? [];
    const commits = new Set<Hash>(line.map(({ hash }) => hash));
    for (const [id, commit] of told.rows) {
      expect(rows).toContain(id);
      expect(commits.has(commit as Hash)).toBe(true);
    }
    const taken = Number(
      sourcesOf(line.findLast(({ commit }) => sourcesOf(commit))!.commit)?.stream.p,
    );
    expect(taken).toBeGreaterThanOrEqual(told.taken);
    const wanted = Array.from({ length: taken }, (_, i) => `${i}`);
    expect([...records].sort()).toEqual(wanted.sort());
    expect(line).toHaveLength(rows.length + taken / 3);
    await store.close();
  }
  expect(told.rows.size).toBeGreaterThan(ROUNDS);
}, 240_000);

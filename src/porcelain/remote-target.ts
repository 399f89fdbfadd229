/**
 * Where `dv ingest --remote` writes: a branch of a repository that a server serves. One that is
 * not there is made with the first rows, at what the remote's HEAD stands for, and without a
 * commit where the repository has none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DvError, type ErrorCode } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { BRANCH_PREFIX } from '../model/names.ts';
import type { RefOutcome, Remote, RemoteRefs } from '../sync/protocol.ts';
import { findToken } from './credentials.ts';
import type { Environment } from './environment.ts';
import type { IngestOptions, IngestTarget } from './ingest.ts';
import { openRemote } from './open-remote.ts';

/** @throws DvError `bad-name`, `bad-option`, and what the way to the server says */
export async function remoteTarget(
  env: Environment,
  url: string,
  { branch, table, retryFor }: Pick<IngestOptions, 'branch' | 'table' | 'retryFor'>,
  { author, cwd }: Pick<IngestTarget, 'author' | 'cwd'>,
): Promise<IngestTarget> {
  const { HttpExchange } = await import('../sync/http-exchange.ts');
  const { parseHttpAddress } = await import('../sync/http-address.ts');
  const { createHttpWriter, readRemoteSchema } = await import('../live/http-writer.ts');
  const token = findToken(env, url);
  const http = new HttpExchange(parseHttpAddress(url), {
    software: env.software ?? 'dv',
    ...(token === undefined ? {} : { token }),
  });
  const withRemote = async <T>(work: (remote: Remote) => Promise<T>): Promise<T> => {
    const remote = await openRemote({ env, worktree: cwd }, url);
    try {
      return await work(remote);
    } finally {
      await remote.close();
    }
  };
  const there = await awaitServer(env, retryFor, () =>
    withRemote((remote) => remote.refs(BRANCH_PREFIX)),
  );
  const current = there.head?.slice(BRANCH_PREFIX.length);
  const named = branch ?? current ?? 'main';
  const isThere = headOf(there, BRANCH_PREFIX + named) !== undefined;
  const createBranch = isThere
    ? undefined
    : () => withRemote((remote) => makeBranch(remote, BRANCH_PREFIX + named));
  const writer = createHttpWriter(http, { randomId: env.randomId, createBranch });
  const from = isThere ? named : (current ?? named);
  const schema = await awaitServer(env, retryFor, () => readRemoteSchema(http, from, table));
  return { writer, branch: named, schema, author, cwd, env };
}

function headOf({ refs }: RemoteRefs, ref: string | null): Hash | undefined {
  return refs.find(({ name }) => name === ref)?.hash;
}

/** Whoever is faster makes it. A repository without a commit needs none. @throws DvError */
async function makeBranch(remote: Remote, ref: string): Promise<void> {
  const there = await remote.refs(BRANCH_PREFIX);
  const start = headOf(there, there.head) ?? undefined;
  if (headOf(there, ref) !== undefined || there.refs.length === 0) return;
  if (start === undefined) {
    throw new DvError('unknown-ref', `there is no branch '${ref.slice(BRANCH_PREFIX.length)}'`, {
      hint: "the remote's HEAD stands for no commit that it could begin at: push the branch",
      data: { ref },
    });
  }
  const update = { ref, old: null, new: start, strategy: 'ff-only' } as const;
  const answer = await remote.push({ updates: [update], atomic: true });
  const [outcome] = answer.kind === 'done' ? answer.outcomes : [];
  if (outcome?.status === 'refused' && outcome.head === null) throw refusedBy(outcome);
}

function refusedBy({ code, message, hint, data }: RefOutcome & { status: 'refused' }): DvError {
  return new DvError(code as ErrorCode, message, { ...(hint && { hint }), ...(data && { data }) });
}

/** Asks again while the server cannot be reached, for a bounded time. */
async function awaitServer<T>(
  { now }: Environment,
  retryFor: number,
  ask: () => Promise<T>,
): Promise<T> {
  const start = now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const passes = ['remote-unreachable', 'connection-lost', 'server-failed', 'unavailable'];
      const isPassing = error instanceof DvError && passes.includes(error.code);
      if (!isPassing || now() - start > retryFor) throw error;
      await sleep(200);
    }
  }
}

/** What the steps of a bisect say. JSON: `{"next","left","found","open"}`. */
import type { Hash } from '../hash.ts';
import { readCommit } from '../model/object-reader.ts';
import type { BisectStep } from '../porcelain/bisect.ts';
import { firstLine } from '../porcelain/commit.ts';
import type { Repository } from '../porcelain/repository.ts';
import type { Context } from './context.ts';
import { shortHash } from './render/commit-parts.ts';
import { renderCommit } from './render/commit-text.ts';

export async function showStep(
  context: Context,
  repo: Repository,
  step: BisectStep,
): Promise<void> {
  const { next, left, found, open, state } = step;
  if (context.json) context.out.json({ next, left, found, open });
  else if (context.quiet) return;
  else if (found !== null) await showFound(context, repo, found);
  else if (next !== null) {
    const after = Math.floor((left - 1) / 2);
    const steps = Math.ceil(Math.log2(Math.max(1, left)));
    context.out.line(`Bisecting: ${after} left to test after this (roughly ${steps} steps)`);
    context.out.line(await lineOf(context, repo, next));
  } else if (open.length > 0) {
    context.out.line('Only skipped commits are left; the first bad one is one of:');
    for (const hash of open) context.out.line(await lineOf(context, repo, hash));
  } else if (state.bad === null) context.out.line('waiting for a bad commit, and a good one');
  else context.out.line('waiting for a good commit');
}

export async function showFound(context: Context, repo: Repository, hash: Hash): Promise<void> {
  const commit = await readCommit(repo.store, hash);
  context.out.line(`${hash} is the first bad commit`);
  context.out.line(renderCommit(hash, commit, { format: 'medium', context }));
}

async function lineOf(context: Context, repo: Repository, hash: Hash): Promise<string> {
  const { message } = await readCommit(repo.store, hash);
  return `[${context.paint.hash(shortHash(hash))}] ${context.shownLine(firstLine(message))}`;
}

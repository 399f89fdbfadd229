/** `dv watch --follow` and `--apply`: the scene of a watch whose refs and files go along. */
import { DvError } from '../../errors.ts';
import { BranchApplier } from '../../porcelain/branch-applier.ts';
import { RemoteFollower } from '../../porcelain/follow-remote.ts';
import { followed } from '../../porcelain/followed.ts';
import type { OpenedFeed } from '../../porcelain/open-feed.ts';
import { openRemote } from '../../porcelain/open-remote.ts';
import type { Repository } from '../../porcelain/repository.ts';
import type { Context } from '../context.ts';
import type { WatchScene } from './run-watch.ts';

export interface Following {
  readonly scene: WatchScene;
  /** Resolves when the files are what has come. */
  settled(): Promise<void>;
}

export interface FollowingOptions {
  /** The branch one is on goes along too. */
  readonly applies: boolean;
  /** A command is run for each commit, and may look at its ref. */
  readonly runsCommand: boolean;
}

/** @throws DvError `bad-option` without a remote that has a name */
export async function openFollowing(
  context: Context,
  repo: Repository | undefined,
  feed: OpenedFeed,
  scene: WatchScene,
  { applies, runsCommand }: FollowingOptions,
): Promise<Following> {
  const { remote: config } = feed;
  if (repo === undefined || config === undefined) {
    throw new DvError('bad-option', 'following needs a remote of this repository', {
      hint: 'dv watch origin --follow; dv remote add makes one',
    });
  }
  const failing = new AbortController();
  const applier = applies
    ? await BranchApplier.open(repo, (error) => failing.abort(error))
    : undefined;
  const remote = await openRemote(repo, config.url);
  context.atEnd(() => remote.close());
  const follower = new RemoteFollower(repo, remote, config);
  const cursor = await follower.catchUp();
  applier?.moved();
  const source = followed(scene.source, follower, {
    moved: () => applier?.moved(),
    oneByOne: runsCommand,
  });
  const from = scene.from.cursor === undefined ? { ...scene.from, cursor } : scene.from;
  return {
    scene: { ...scene, source, from, failing: failing.signal },
    async settled() {
      await applier?.settled();
      failing.signal.throwIfAborted();
    },
  };
}

/** The messages that other systems read, as lines: what `--to` sends, to look at or to pipe. */
import { basename } from 'node:path';
import type { FeedEvent } from '../../live/contract.ts';
import type { ChangePlace, ChangeShape } from '../../live/out/change-message.ts';
import { commitMessage } from '../../live/out/commit-json.ts';
import { shortRefName } from '../../model/names.ts';
import { narrowEvent } from './matching-rows.ts';
import type { FormatScene, WatchFormat } from './watch-format.ts';

export function messagesOf(shape: ChangeShape): Pick<WatchFormat, 'counts' | 'render'> {
  return {
    counts: false,
    async *render(event, scene) {
      if (event.type === 'commit') yield* renderMessages(shape, event, scene);
    },
  };
}

async function* renderMessages(
  shape: ChangeShape,
  event: FeedEvent & { readonly type: 'commit' },
  { source, tables, where }: FormatScene,
): AsyncGenerator<string> {
  const place: ChangePlace = {
    ...{ repo: repoName(source.url), branch: shortRefName(event.ref), commit: event.new },
    ...{ parent: event.old, sequence: event.generation, time: event.committed },
  };
  for await (const diff of source.changes(event.old, event.new, { tables, where })) {
    for await (const batch of diff.changes()) {
      const lines = batch.flatMap((change) =>
        shape
          .write(diff, change, place, false)
          .map(
            ({ key, value }) =>
              `{"table":${JSON.stringify(diff.table)},"key":${key},"value":${value}}\n`,
          ),
      );
      yield lines.join('');
    }
  }
}

export async function* renderCommits(event: FeedEvent, scene: FormatScene): AsyncGenerator<string> {
  if (event.type !== 'commit') return;
  const told = await narrowEvent(event, scene);
  if (told === undefined) return;
  const commit = { ...told, hash: told.new };
  const { ref, old, tables } = told;
  const { key, value } = commitMessage({
    ...{ repo: repoName(scene.source.url), ref, old, commit, tables },
  });
  yield `{"key":${JSON.stringify(key)},"value":${value}}\n`;
}

/** Name of the repository: the last part of its URL, or its folder's name. */
export function repoName(url: string): string {
  return basename(url.replace(/[/\\]+$/, ''));
}

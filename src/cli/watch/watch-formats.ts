/**
 * The formats of `dv watch --format`:
 *
 *   text   a line a commit, for people
 *   json   a line an event, as the feed tells it (live/contract.ts)
 *   rows   a line a changed row, as `dv diff --json` has it, behind "id", "ref", "commit" and
 *          "time" of its commit
 *   debezium, upsert
 *          a line a message, `{"table","key","value"}`, as `--to` has it for Kafka; `value`
 *          null is a tombstone
 *   commits
 *          likewise, a message a commit
 *
 * A format that is added here is in the help and in the completion.
 */
import type { CommitEvent, FeedEvent } from '../../live/contract.ts';
import { DEBEZIUM } from '../../live/out/debezium.ts';
import { UPSERT_JSON } from '../../live/out/upsert-json.ts';
import { shortRefName } from '../../model/names.ts';
import { renderDiffNdjson } from '../render/diff-ndjson.ts';
import { renderCounts } from './count-text.ts';
import { narrowEvent } from './matching-rows.ts';
import { messagesOf, renderCommits } from './message-lines.ts';
import type { FormatScene, WatchFormat } from './watch-format.ts';

export const WATCH_FORMATS: Readonly<Record<string, WatchFormat>> = {
  text: { summary: 'a line a commit', counts: true, render: renderText },
  json: { summary: 'a line an event', counts: true, render: renderJson },
  rows: { summary: 'a line a changed row', counts: false, render: renderRows },
  debezium: { summary: 'row changes as Debezium has them', ...messagesOf(DEBEZIUM) },
  upsert: { summary: 'rows under their keys', ...messagesOf(UPSERT_JSON) },
  commits: { summary: 'a message a commit', counts: true, render: renderCommits },
};

async function* renderJson(event: FeedEvent, scene: FormatScene): AsyncGenerator<string> {
  if (event.type === 'bookmark') return;
  const told = event.type === 'commit' ? await narrowEvent(event, scene) : event;
  if (told !== undefined) yield `${eventText(told)}\n`;
}

/** An event as JSON on one line; without the pack that may have come with it. */
export function eventText(event: FeedEvent): string {
  if (event.type !== 'commit') return JSON.stringify(event);
  const { pack: _, ...told } = event;
  return JSON.stringify(told);
}

async function* renderText(event: FeedEvent, scene: FormatScene): AsyncGenerator<string> {
  const { paint, shownLine } = scene;
  if (event.type === 'reset') {
    yield `${paint.dim('the feed began anew; from here on it goes on')}\n`;
  } else if (event.type === 'ref-deleted') {
    yield `${paint.ref(shownLine(shortRefName(event.ref)))} ${paint.removed('deleted')}\n`;
  } else if (event.type === 'commit') {
    const told = await narrowEvent(event, scene);
    if (told !== undefined) yield `${commitLine(told, scene)}\n`;
  }
}

function commitLine(event: CommitEvent, { paint, shownLine }: FormatScene): string {
  const [subject] = event.message.split('\n');
  const parts = [
    paint.hash(event.new.slice(0, 10)),
    paint.ref(shownLine(shortRefName(event.ref))),
    shownLine(event.author.name),
    shownLine(subject),
    ...(event.tables ?? []).map((counts) => renderCounts(counts, paint, shownLine)),
    ...(event.skipped > 0 ? [paint.dim(`and ${event.skipped} before`)] : []),
  ];
  return parts.join('  ');
}

async function* renderRows(event: FeedEvent, scene: FormatScene): AsyncGenerator<string> {
  if (event.type !== 'commit') return;
  const { source, tables, where } = scene;
  const time = new Date(event.committed).toISOString();
  const { id, ref, new: commit } = event;
  const head = JSON.stringify({ id, ref, commit, time }).slice(0, -1);
  const diffs = source.changes(event.old, event.new, { tables, where });
  for await (const text of renderDiffNdjson(diffs)) {
    yield text.replace(/^\{/gm, `${head.replaceAll('$', '$$$$')},`);
  }
}

/** What a watcher asked for as bytes: made once for all who asked for the same. */
import type { FeedEvent } from '../live/contract.ts';
import { eventWithRows } from '../live/event-rows.ts';
import type { FeedItem } from '../live/feed-item.ts';
import type { FeedHub } from '../live/hub.ts';
import { encodeFrame, encodeSse, FEED_HEAD } from '../live/wire-events.ts';
import type { WatchRequest } from './watch-request.ts';
import type { WatchEncoding } from './watch-stream.ts';

/** A pack of what an event brings; undefined: it would be larger than fits into a frame. */
export type MakePack = (item: FeedItem) => Promise<Uint8Array | undefined>;

export interface EncodingParts {
  readonly hub: FeedHub;
  readonly request: WatchRequest;
  /** Path and query beginning for rows that are not in the event. */
  readonly changesPath: string;
  readonly makePack: MakePack;
}

/** Browsers wait so long, in ms, before they come back. */
const SSE_HEAD = Buffer.from('retry: 1000\n\n');

export function createEncoding(parts: EncodingParts): WatchEncoding {
  const { hub, request } = parts;
  const { form, counts, packs } = request;
  const isFrames = form === 'frames';
  const key = [form, counts, packs, rowsKey(request)].join('|');
  return {
    head: isFrames ? FEED_HEAD : SSE_HEAD,
    async item(item) {
      const event = await item.event(counts);
      if (event === undefined) return undefined;
      return hub.bytes(item, key, async () => {
        const json = await itemText(item, event, parts);
        if (!isFrames) return encodeSse(event, json);
        return encodeFrame(json, packs ? await parts.makePack(item) : undefined);
      });
    },
    event(event) {
      const json = JSON.stringify(event);
      return isFrames ? encodeFrame(json) : encodeSse(event, json);
    },
  };
}

function rowsKey({ rows, tables, where }: WatchRequest): string {
  return rows ? JSON.stringify([tables, where]) : '';
}

/** The event as JSON, with its rows where they were asked for. */
export function itemText(
  _item: FeedItem,
  event: FeedEvent,
  { hub, request, changesPath }: Pick<EncodingParts, 'hub' | 'request' | 'changesPath'>,
): Promise<string> | string {
  if (event.type !== 'commit' || !request.rows) return JSON.stringify(event);
  const { tables, where } = request;
  const query = new URLSearchParams({ to: event.new });
  if (event.old !== null) query.set('from', event.old);
  if (tables.length > 0) query.set('tables', tables.join());
  if (where !== undefined) query.set('where', where);
  return eventWithRows(hub.nodes, event, { tables, where }, `${changesPath}?${query}`);
}

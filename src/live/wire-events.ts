/**
 * Events on the wire, in two forms.
 *
 * `text/event-stream`, for browsers and curl: `id`, `event` (the type) and `data` (the event
 * as JSON on one line), as the HTML standard has it (section 9.2).
 *
 * `application/vnd.dv.feed`, for dv: 5 bytes "dvfd" and the version 0x01, then frames
 *
 *   varint   bytes of the frame behind this number, at most MAX_FRAME_BYTES
 *   u8       type: 0x01, an event; frames of other types are passed over
 *   varint   bytes of the JSON
 *   ...      the event as JSON, in UTF-8
 *   ...      a pack with what its `new` reaches and its `old` does not; or nothing
 */
import { ByteReader, ByteWriter } from '../bytes.ts';
import { DvError } from '../errors.ts';
import type { FeedEvent } from './contract.ts';

export const FEED_MEDIA_TYPE = 'application/vnd.dv.feed';
export const SSE_MEDIA_TYPE = 'text/event-stream';
export const FEED_HEAD: Uint8Array = Buffer.from('dvfd\x01', 'latin1');
/** An event with its pack. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const EVENT_FRAME = 0x01;
const MAX_VARINT_BYTES = 5;

/** `json` is the event's, made by whoever adds to it. */
export function encodeSse(event: Pick<FeedEvent, 'type' | 'id'>, json: string): Uint8Array {
  return Buffer.from(`id: ${event.id}\nevent: ${event.type}\ndata: ${json}\n\n`);
}

export function encodeFrame(json: string, pack?: Uint8Array): Uint8Array {
  const text = Buffer.from(json);
  const body = new ByteWriter(text.length + (pack?.length ?? 0) + 16);
  body
    .raw(Buffer.from([EVENT_FRAME]))
    .varint(text.length)
    .raw(text);
  if (pack !== undefined) body.raw(pack);
  const payload = body.take();
  return new ByteWriter(payload.length + MAX_VARINT_BYTES)
    .varint(payload.length)
    .raw(payload)
    .take();
}

/** Events out of the pieces of a stream of frames. @throws DvError `protocol-mismatch` */
export async function* decodeFrames(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<FeedEvent> {
  let waiting: Buffer = Buffer.alloc(0);
  let headSeen = false;
  for await (const piece of pieces) {
    waiting = waiting.length === 0 ? Buffer.from(piece) : Buffer.concat([waiting, piece]);
    if (!headSeen) {
      if (waiting.length < FEED_HEAD.length) continue;
      if (!waiting.subarray(0, FEED_HEAD.length).equals(FEED_HEAD)) {
        throw broken('does not begin as one');
      }
      waiting = waiting.subarray(FEED_HEAD.length);
      headSeen = true;
    }
    for (;;) {
      const size = frameSize(waiting);
      if (size === undefined || waiting.length < size.behind + size.length) break;
      const frame = waiting.subarray(size.behind, size.behind + size.length);
      waiting = waiting.subarray(size.behind + size.length);
      if (frame[0] === EVENT_FRAME) yield decodeEvent(frame);
    }
  }
}

/** undefined: the length is not here yet. */
function frameSize(
  bytes: Uint8Array,
): { readonly length: number; readonly behind: number } | undefined {
  for (let i = 0; i < Math.min(bytes.length, MAX_VARINT_BYTES); i++) {
    if (bytes[i] >= 0x80) continue;
    const reader = new ByteReader(bytes);
    const length = reader.varint();
    if (length < 1 || length > MAX_FRAME_BYTES) throw broken(`has a frame of ${length} bytes`);
    return { length, behind: i + 1 };
  }
  if (bytes.length >= MAX_VARINT_BYTES) throw broken('has a frame without a length');
  return undefined;
}

function decodeEvent(frame: Uint8Array): FeedEvent {
  const reader = new ByteReader(frame, 1);
  const json = reader.view(reader.varint());
  const rest = frame.subarray(reader.offset);
  const event = parseEvent(Buffer.from(json).toString('utf8'));
  if (event.type !== 'commit' || rest.length === 0) return event;
  return { ...event, pack: Buffer.from(rest) };
}

/** @throws DvError `protocol-mismatch` for what is no event */
export function parseEvent(json: string): FeedEvent {
  let value: Partial<FeedEvent> | undefined;
  try {
    value = JSON.parse(json);
  } catch {
    // said below
  }
  const { type, id } = value ?? {};
  const isKnown = ['commit', 'ref-deleted', 'bookmark', 'reset'].includes(String(type));
  if (!isKnown || typeof id !== 'string') throw broken('has an event that is none');
  return value as FeedEvent;
}

function broken(why: string): DvError {
  return new DvError('protocol-mismatch', `the stream of events ${why}`, {
    hint: 'is there another server in between?',
  });
}

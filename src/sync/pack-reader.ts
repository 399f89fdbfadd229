/**
 * Frames out of the bytes of a pack (pack.ts), however they are split. Nothing is believed:
 * sizes are checked before bytes are collected, a frame before it is given out, order and
 * digest at the trailer. What chunks mean is the receiver's business (receiver.ts).
 */
import { ByteReader, equalBytes } from '../bytes.ts';
import { DvError } from '../errors.ts';
import {
  createHasher,
  digestOf,
  HASH_BYTES,
  type Hash,
  hashFromBytes,
  hashToBytes,
  isHash,
} from '../hash.ts';
import type { Clock } from '../model/objects.ts';
import { MAX_CHUNK_BYTES } from '../store/contract.ts';
import type { ChunkForm, EncodedChunk } from '../store/transfer.ts';
import {
  ENCODINGS,
  FRAME_TYPES,
  LIKE_FLAG,
  MAX_DICTIONARY_BYTES,
  MAX_FRAME_BYTES,
  PACK_MAGIC,
  PACK_VERSION,
  type PackHeader,
  type PackTrailer,
} from './pack.ts';

export interface DictionaryFrame {
  readonly hash: Hash;
  readonly rawSize: number;
  readonly compressed: boolean;
  readonly data: Uint8Array;
}

export type Frame =
  | { readonly type: 'header'; readonly header: PackHeader }
  | { readonly type: 'dictionary'; readonly dictionary: DictionaryFrame }
  | { readonly type: 'chunk'; readonly chunk: EncodedChunk; readonly like: Hash | undefined }
  | { readonly type: 'error'; readonly error: Readonly<Record<string, unknown>> }
  | { readonly type: 'trailer'; readonly trailer: PackTrailer };

export function badPack(why: string, cause?: unknown): DvError {
  return new DvError('bad-pack', `the pack is refused: ${why}`, { cause });
}

/** A defect of a chunk is one of the pack that brought it; other errors as they are. */
export function asBadPack(hash: Hash, error: unknown): unknown {
  if (!(error instanceof DvError)) return error;
  if (!['corrupt', 'bad-name', 'newer-format'].includes(error.code)) return error;
  return badPack(`chunk ${hash}: ${error.message}`, error);
}

/** Feed it with `push`; `end` when there are no more bytes. */
export class PackReader {
  private readonly hasher = createHasher();
  private parts: Uint8Array[] = [];
  private available = 0;
  private state: 'magic' | 'header' | 'frames' | 'over' = 'magic';
  private chunks = 0;
  private rawBytes = 0;

  /** The frames that are whole now. @throws DvError `bad-pack`, `protocol-mismatch` */
  push(bytes: Uint8Array): Frame[] {
    if (bytes.length > 0) this.parts.push(bytes);
    this.available += bytes.length;
    const frames: Frame[] = [];
    if (this.state === 'magic' && this.available > PACK_MAGIC.length) this.readMagic();
    if (this.state === 'magic') return frames;
    for (let body = this.nextFrame(); body !== undefined; body = this.nextFrame()) {
      const frame = this.readFrame(body);
      if (frame !== undefined) frames.push(frame);
    }
    return frames;
  }

  /** @throws DvError `connection-lost` when the pack has no end */
  end(): void {
    if (this.state === 'over') return;
    throw new DvError('connection-lost', 'the pack ends before its trailer: it was cut', {
      hint: 'try again: what came is kept',
    });
  }

  private readMagic(): void {
    const start = this.take(PACK_MAGIC.length + 1);
    if (!equalBytes(start.subarray(0, PACK_MAGIC.length), PACK_MAGIC)) {
      throw badPack('it does not begin as packs do');
    }
    const version = start[PACK_MAGIC.length];
    if (version !== PACK_VERSION) {
      const message = `the pack has version ${version}, this dv knows ${PACK_VERSION}`;
      throw new DvError('protocol-mismatch', message, { hint: 'use a newer dv' });
    }
    this.state = 'header';
  }

  /** The next whole frame, type and payload; undefined: more bytes are needed. */
  private nextFrame(): Uint8Array | undefined {
    if (this.available === 0) return undefined;
    if (this.state === 'over') throw badPack('bytes follow its trailer');
    const head = this.peek(Math.min(4, this.available));
    let length = 0;
    let size = 0;
    for (let scale = 1; ; scale *= 0x80) {
      if (size === head.length) {
        if (size === 4) throw badPack('a frame is too long');
        return undefined;
      }
      const byte = head[size++];
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0) throw badPack('a frame length is not as it should be');
        break;
      }
    }
    if (length > MAX_FRAME_BYTES) throw badPack(`a frame of ${length} bytes is too long`);
    if (this.available < size + length) return undefined;
    return this.take(size + length).subarray(size);
  }

  private peek(length: number): Uint8Array {
    if (this.parts[0].length >= length) return this.parts[0].subarray(0, length);
    this.parts = [Buffer.concat(this.parts)];
    return this.parts[0].subarray(0, length);
  }

  private take(length: number): Uint8Array {
    this.available -= length;
    if (this.parts[0].length < length) this.parts = [Buffer.concat(this.parts)];
    const [first] = this.parts;
    if (first.length === length) this.parts.shift();
    else this.parts[0] = first.subarray(length);
    return first.subarray(0, length);
  }

  private readFrame(body: Uint8Array): Frame | undefined {
    const isHeader = body[0] === FRAME_TYPES.header;
    if (isHeader !== (this.state === 'header')) throw badPack('its header is not its first frame');
    this.state = 'frames';
    if (body[0] === FRAME_TYPES.trailer) return this.readTrailer(body);
    if (body[0] === FRAME_TYPES.keepAlive) {
      if (body.length > 1) throw badPack('a keep-alive is not empty');
      return undefined;
    }
    this.hasher.update(digestOf(body));
    try {
      return this.decode(body[0], body.subarray(1));
    } catch (error) {
      if (error instanceof DvError && error.code === 'bad-pack') throw error;
      throw badPack('a frame is not as it should be', error);
    }
  }

  private decode(type: number, payload: Uint8Array): Frame {
    switch (type) {
      case FRAME_TYPES.header:
        return { type: 'header', header: parseHeader(payload) };
      case FRAME_TYPES.dictionary:
        return { type: 'dictionary', dictionary: decodeDictionary(payload) };
      case FRAME_TYPES.chunk: {
        const frame = decodeChunk(payload);
        this.chunks += 1;
        this.rawBytes += frame.chunk.rawSize;
        return { type: 'chunk', ...frame };
      }
      case FRAME_TYPES.error:
        this.state = 'over';
        return { type: 'error', error: parseJson(payload) };
      default:
        throw badPack(`a frame has the unknown type ${type}`);
    }
  }

  private readTrailer(body: Uint8Array): Frame {
    const reader = new ByteReader(body, 1);
    let trailer: PackTrailer;
    try {
      const complete = reader.u8();
      if (complete > 1) throw badPack('its trailer is not as it should be');
      const chunks = reader.varint();
      trailer = { complete: complete === 1, chunks, rawBytes: reader.varint() };
      this.hasher.update(body.subarray(0, reader.offset));
      const digest = reader.view(HASH_BYTES);
      if (reader.remaining > 0 || !equalBytes(digest, hashToBytes(this.hasher.digest()))) {
        throw badPack('its digest is not that of its frames');
      }
    } catch (error) {
      if (error instanceof DvError && error.code === 'bad-pack') throw error;
      throw badPack('its trailer is not as it should be', error);
    }
    if (trailer.chunks !== this.chunks || trailer.rawBytes !== this.rawBytes) {
      throw badPack('its counts are wrong');
    }
    this.state = 'over';
    return { type: 'trailer', trailer };
  }
}

function decodeChunk(payload: Uint8Array): { chunk: EncodedChunk; like: Hash | undefined } {
  const reader = new ByteReader(payload);
  const hash = hashFromBytes(reader.view(HASH_BYTES));
  const encoding = reader.u8();
  const kind = ENCODINGS[encoding & ~LIKE_FLAG];
  if (kind === undefined) throw badPack(`a chunk has the unknown encoding ${encoding}`);
  const rawSize = reader.varint();
  if (rawSize > MAX_CHUNK_BYTES) throw badPack(`a chunk of ${rawSize} bytes is over the limit`);
  const form: ChunkForm =
    kind === 'delta'
      ? { kind, base: hashFromBytes(reader.view(HASH_BYTES)) }
      : kind === 'shared'
        ? { kind, dictionary: hashFromBytes(reader.view(HASH_BYTES)) }
        : { kind };
  const hasLike = (encoding & LIKE_FLAG) !== 0;
  const like = hasLike ? hashFromBytes(reader.view(HASH_BYTES)) : undefined;
  const data = reader.view(reader.remaining);
  if (data.length > MAX_CHUNK_BYTES) throw badPack(`a chunk of ${data.length} bytes`);
  if (kind === 'raw' && data.length !== rawSize) throw badPack('a chunk has not the size it says');
  return { chunk: { hash, rawSize, form, data }, like };
}

function decodeDictionary(payload: Uint8Array): DictionaryFrame {
  const reader = new ByteReader(payload);
  const hash = hashFromBytes(reader.view(HASH_BYTES));
  const rawSize = reader.varint();
  const encoding = reader.u8();
  if (encoding > 1) throw badPack(`a dictionary has the unknown encoding ${encoding}`);
  if (rawSize > MAX_DICTIONARY_BYTES) throw badPack(`a dictionary of ${rawSize} bytes`);
  const data = reader.view(reader.remaining);
  if (encoding === 0 && data.length !== rawSize) throw badPack('a dictionary has a wrong size');
  return { hash, rawSize, compressed: encoding === 1, data };
}

function parseJson(payload: Uint8Array): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw badPack('a frame is no JSON object');
}

/** @throws DvError `bad-pack` */
function parseHeader(payload: Uint8Array): PackHeader {
  const { wants, commons, shallow, chunks, bytes, clock, refs, head } = parseJson(payload);
  return {
    wants: hashes(wants),
    commons: hashes(commons),
    shallow: hashes(shallow),
    ...(chunks === undefined ? {} : { chunks: whole(chunks) }),
    ...(bytes === undefined ? {} : { bytes: whole(bytes) }),
    ...(clock === undefined ? {} : { clock: parseClock(clock) }),
    ...(refs === undefined ? {} : { refs: list(refs).map(parseRef) }),
    ...(head === undefined ? {} : { head: head === null ? null : text(head) }),
  };
}

const wrongHeader = (): DvError => badPack('its header has a wrong field');

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw wrongHeader();
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw wrongHeader();
  return value;
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrongHeader();
  return value as number;
}

function hash(value: unknown): Hash {
  if (typeof value !== 'string' || !isHash(value)) throw wrongHeader();
  return value;
}

const hashes = (value: unknown): Hash[] => list(value).map(hash);

function parseRef(value: unknown): { name: string; hash: Hash } {
  const fields = (typeof value === 'object' ? value : null) as Record<string, unknown> | null;
  return { name: text(fields?.name), hash: hash(fields?.hash) };
}

function parseClock(value: unknown): Clock {
  const fields = (typeof value === 'object' ? value : null) as Record<string, unknown> | null;
  return { ms: whole(fields?.ms), counter: whole(fields?.counter), node: text(fields?.node) };
}

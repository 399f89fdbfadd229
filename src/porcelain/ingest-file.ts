/**
 * A file of records, read once or followed as it grows (`tail`), through rotation: a file that
 * was renamed is read to its end before the new one of that name; one that was cut to nothing
 * starts again.
 *
 * Commits keep `offset` and `line`, and of the bytes in front of the offset what tells the file
 * again whatever its name: `head`, a hash of the first ones, and `tail`, of the last ones. Only a
 * file that has both is gone on with. A partition is one such file, in the order they were read.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DvError } from '../errors.ts';
import { hashOf } from '../hash.ts';
import type { SourceOffsets } from '../live/contract.ts';
import { LineBlocks, type LineOptions } from '../live/ingest/line-blocks.ts';
import type { Positions, RecordBlock, RecordSource } from '../live/ingest/record.ts';
import { behindFirst } from '../live/ingest/stream-source.ts';

const CHUNK = 256 * 1024;
/** Bytes at either end of what was read that are hashed. */
const SAMPLE = 4096;
const POLL_MS = 50;
const DIGEST = 16;

export interface FileSourceOptions extends LineOptions {
  readonly path: string;
  /** As the user typed it. */
  readonly place: string;
  /** Name in the commit's source map. */
  readonly name: string;
  readonly tail: boolean;
  /** The first line of every file is a header, and has to be this one. */
  readonly header: Uint8Array | undefined;
  readonly note: (text: string) => void;
}

/** One file that has been, is or will be read. */
interface Generation {
  /** -1: closed, as all of it is in. */
  descriptor: number;
  readonly inode: number;
  start: number;
  startLine: number;
}

export class FileSource implements RecordSource {
  readonly name: string;
  readonly place: string;
  readonly #options: FileSourceOptions;
  readonly #generations: Generation[] = [];
  #started = false;

  /** @throws DvError `file-missing`, `file-is-directory`, `file-unreadable` */
  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.name = options.name;
    this.place = options.place;
    const found = openGeneration(options.path);
    if (found !== undefined) this.#generations.push(found);
    else if (!options.tail) throw missing(options);
  }

  partitionName(): string {
    return '';
  }

  /** @throws DvError `offsets-moved` when they are of a file that this run has not read */
  positionsOf(offsets: SourceOffsets): readonly number[] {
    const offset = Number(offsets.offset);
    if (!this.#started) this.#find(offsets, offset);
    for (let i = this.#generations.length - 1; i >= 0; i--) {
      const { descriptor } = this.#generations[i];
      if (descriptor < 0 || !isSame(descriptor, offsets, offset)) continue;
      return [...Array.from({ length: i }, () => Number.MAX_SAFE_INTEGER), offset];
    }
    if (!this.#started) {
      this.#options.note(
        `${this.place} is another file than the one read before: it is read from its beginning`,
      );
      return [];
    }
    throw new DvError('offsets-moved', `another ingest of '${this.name}' reads another file`, {
      hint: 'two files that feed one branch need names of their own: --source NAME',
      data: { source: this.name },
    });
  }

  /** A file that was read before and has been renamed since comes first. */
  #find(offsets: SourceOffsets, offset: number): void {
    const current = this.#generations[0];
    if (current !== undefined && isSame(current.descriptor, offsets, offset)) return;
    if (!this.#options.tail) return;
    for (const path of siblings(this.#options.path)) {
      const old = openGeneration(path);
      if (old === undefined) continue;
      if (old.inode !== current?.inode && isSame(old.descriptor, offsets, offset)) {
        this.#generations.unshift(old);
        return;
      }
      closeSync(old.descriptor);
    }
  }

  async *read(offsets: SourceOffsets | null, signal: AbortSignal): AsyncIterable<RecordBlock> {
    this.#started = true;
    const [first] = this.#generations;
    if (offsets !== null && first !== undefined) {
      const offset = Number(offsets.offset);
      if (isSame(first.descriptor, offsets, offset)) {
        first.start = offset;
        first.startLine = Number(offsets.line);
      }
    }
    for (let index = 0; ; index++) {
      const generation = this.#generations[index] ?? (await this.#awaitFile(index, signal));
      if (generation === undefined) return;
      const goesOn = yield* this.#readGeneration(generation, index, signal);
      if (!goesOn) return;
    }
  }

  /** Waits for a file of the name to appear. */
  async #awaitFile(index: number, signal: AbortSignal): Promise<Generation | undefined> {
    while (!signal.aborted) {
      const found = openGeneration(this.#options.path);
      if (found !== undefined) {
        this.#generations[index] = found;
        return found;
      }
      await pause(signal);
    }
    return undefined;
  }

  /** Reads one file to its end; true when another one follows. */
  async *#readGeneration(
    generation: Generation,
    index: number,
    signal: AbortSignal,
  ): AsyncGenerator<RecordBlock, boolean> {
    const { descriptor, start, startLine } = generation;
    const lines = new LineBlocks(this.#options, index, start, startLine);
    const buffer = Buffer.allocUnsafe(CHUNK);
    let at = start;
    let skipsHeader = this.#options.header !== undefined && start === 0;
    let isLast = !this.#options.tail;
    while (!signal.aborted) {
      const size = await readAt(descriptor, buffer, at);
      if (size > 0) {
        at += size;
        let block = lines.push(buffer.subarray(0, size));
        if (block !== undefined && skipsHeader) {
          block = this.#behindHeader(block);
          skipsHeader = false;
        }
        if (block !== undefined && block.count > 0) yield block;
        continue;
      }
      const follows = this.#follows(generation, index, at);
      if (isLast || follows === 'truncated') {
        const block = lines.finish();
        if (block !== undefined && !skipsHeader) yield block;
        if (follows === 'truncated') this.#startAgain(generation, index);
        return this.#options.tail;
      }
      // Whoever writes may still have the old file open: one more look behind a pause.
      if (follows === 'renamed') isLast = true;
      await pause(signal);
    }
    return false;
  }

  #follows(generation: Generation, index: number, at: number): 'nothing' | 'renamed' | 'truncated' {
    if (!this.#options.tail) return 'nothing';
    if (fstatSync(generation.descriptor).size < at) return 'truncated';
    if (this.#generations[index + 1] !== undefined) return 'renamed';
    const now = statSync(this.#options.path, { throwIfNoEntry: false });
    return now !== undefined && now.ino !== generation.inode ? 'renamed' : 'nothing';
  }

  /** The same file from its beginning, as the next partition. */
  #startAgain({ descriptor, inode }: Generation, index: number): void {
    this.#generations[index + 1] ??= { descriptor, inode, start: 0, startLine: 1 };
  }

  #behindHeader(block: RecordBlock): RecordBlock {
    const { header } = this.#options;
    const first = block.bytes.subarray(block.starts[0], block.ends[0]);
    if (header !== undefined && Buffer.compare(withoutBom(first), header) !== 0) {
      throw new DvError('bad-header', `${this.place} begins with another header now`, {
        hint: 'start the ingest again',
        data: { file: this.place },
      });
    }
    return behindFirst(block);
  }

  offsetsAt({ behind, lines }: Positions): SourceOffsets {
    let last = behind.length - 1;
    while (last > 0 && (behind[last] ?? -1) < 0) last -= 1;
    const offset = Math.max(0, behind[last] ?? 0);
    const generation = this.#generations[last];
    this.#retire(last);
    const line = (lines[last] ?? 0) + 1;
    return {
      offset: String(offset),
      line: String(line),
      head: sample(generation.descriptor, 0, offset),
      tail: sample(generation.descriptor, Math.max(0, offset - SAMPLE), offset),
    };
  }

  /** Closes files in front of the one that commits have come to. */
  #retire(last: number): void {
    const open = this.#generations.slice(last).map(({ descriptor }) => descriptor);
    for (const one of this.#generations.slice(0, last)) {
      if (one.descriptor >= 0 && !open.includes(one.descriptor)) closeSync(one.descriptor);
      one.descriptor = -1;
    }
  }

  lag({ behind }: Positions): number | undefined {
    const last = this.#generations.length - 1;
    if (last < 0 || this.#generations[last].descriptor < 0) return undefined;
    const { size } = fstatSync(this.#generations[last].descriptor);
    return Math.max(0, size - Math.max(0, behind[last] ?? 0));
  }

  async close(): Promise<void> {
    for (const descriptor of new Set(this.#generations.map((one) => one.descriptor))) {
      if (descriptor >= 0) closeSync(descriptor);
    }
    this.#generations.length = 0;
  }
}

function missing({ place, path }: FileSourceOptions): DvError {
  return new DvError('file-missing', `there is no file ${place}`, {
    hint: '--tail waits for it to appear',
    data: { file: path },
  });
}

/** The file there; undefined: none. */
function openGeneration(path: string): Generation | undefined {
  try {
    const descriptor = openSync(path, 'r');
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) {
      closeSync(descriptor);
      throw new DvError('file-is-directory', `'${path}' is a directory`, { data: { file: path } });
    }
    if (!stat.isFile()) {
      closeSync(descriptor);
      throw new DvError('file-unreadable', `'${path}' is no plain file`, {
        hint: 'dv ingest TABLE --from - reads a pipe from standard input',
        data: { file: path },
      });
    }
    return { descriptor, inode: stat.ino, start: 0, startLine: 1 };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (error instanceof DvError) throw error;
    throw new DvError('file-unreadable', `'${path}' cannot be read: ${message}`, {
      data: { file: path },
      cause: error,
    });
  }
}

/** Files beside `path` whose names begin with its name, newest first. */
function siblings(path: string): string[] {
  const name = basename(path);
  const folder = dirname(path);
  const found = readdirSync(folder).filter((one) => one !== name && one.startsWith(name));
  const time = (one: string) =>
    statSync(join(folder, one), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return found.sort((a, b) => time(b) - time(a)).map((one) => join(folder, one));
}

/** `LENGTH:HASH` of the sample of a file between `start` and `end`. */
function sample(descriptor: number, start: number, end: number): string {
  const size = Math.min(SAMPLE, end - start);
  const bytes = Buffer.alloc(size);
  const read = readSync(descriptor, bytes, 0, size, start);
  return `${size}:${hashOf(bytes.subarray(0, read)).slice(0, DIGEST)}`;
}

function isSame(descriptor: number, { head, tail }: SourceOffsets, offset: number): boolean {
  if (fstatSync(descriptor).size < offset) return false;
  if (sample(descriptor, 0, offset) !== head) return false;
  return sample(descriptor, Math.max(0, offset - SAMPLE), offset) === tail;
}

function readAt(descriptor: number, buffer: Buffer, at: number): number {
  return readSync(descriptor, buffer, 0, buffer.length, at);
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await sleep(POLL_MS, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export function withoutBom(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** The first line of a file without its end; undefined: it has none yet. */
export async function readFirstLine(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK);
    const { bytesRead } = await file.read(buffer, 0, CHUNK, 0);
    const lines = new LineBlocks({ quotes: true, maxRecord: CHUNK }, 0, 0, 1);
    const block = lines.push(buffer.subarray(0, bytesRead)) ?? lines.finish();
    return block === undefined
      ? undefined
      : withoutBom(Uint8Array.from(block.bytes.subarray(block.starts[0], block.ends[0])));
  } finally {
    await file.close();
  }
}

/**
 * Who writes: a line beside the store that says who holds the write lock, for the one who
 * waits in vain. SQLite keeps the lock; this is only its name tag, so losing it is harmless.
 *
 *   offset  size  meaning
 *        0     1  "+" held, "-" let go
 *        1    13  since when, ms since the epoch, decimal, padded with spaces
 *       14   241  the owner's text, which starts with its process id, padded with spaces
 *      255     1  line feed
 *
 * Written over in place through an open file: 4 microseconds a transaction, never synced.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';

const LINE_BYTES = 256;
const OWNER_AT = 14;
const FREE = Buffer.from('-');

export interface LockOwnerOptions {
  /** Starts with the process id in decimal, as in `4711@host dv import`. */
  readonly owner: string;
  readonly isAlive: (pid: number) => boolean;
  readonly now: () => number;
}

export interface LockHolder {
  readonly owner: string;
  /** ms since the epoch. */
  readonly since: number;
}

export class LockOwner {
  private readonly path: string;
  private readonly options: LockOwnerOptions;
  private file: number | undefined;
  private held = false;
  private readonly line = Buffer.alloc(LINE_BYTES, ' ');

  constructor(storePath: string, options: LockOwnerOptions) {
    this.path = `${storePath}-owner`;
    this.options = options;
    this.line.write(options.owner.replaceAll('\n', ' '), OWNER_AT, LINE_BYTES - 1 - OWNER_AT);
    this.line.write('\n', LINE_BYTES - 1);
  }

  /** Call when the lock has just been taken. */
  hold(): void {
    this.line.write(`+${this.options.now()}`.padEnd(OWNER_AT), 0, OWNER_AT);
    this.write(this.line);
    this.held = true;
  }

  /** Does nothing unless this one holds it: the tag may be another's. */
  release(): void {
    if (this.held) this.write(FREE);
    this.held = false;
  }

  private write(bytes: Uint8Array): void {
    try {
      this.file ??= openSync(this.path, constants.O_RDWR | constants.O_CREAT);
      writeSync(this.file, bytes, 0, bytes.length, 0);
    } catch {
      // a name tag that cannot be written is no reason to fail
    }
  }

  /** Who holds the lock, as far as can be told; undefined when nobody living says so. */
  find(): LockHolder | undefined {
    const line = this.read();
    if (line === undefined || line[0] !== '+') return undefined;
    const owner = line.slice(OWNER_AT).trim();
    const pid = Number.parseInt(owner, 10);
    if (Number.isInteger(pid) && !this.options.isAlive(pid)) return undefined;
    return { owner, since: Number(line.slice(1, OWNER_AT)) };
  }

  private read(): string | undefined {
    try {
      return readFileSync(this.path, 'utf8');
    } catch {
      return undefined;
    }
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }
}

/**
 * Sees commits of other processes: for `waitForFeed`. Every writer writes its name tag
 * (sqlite-owner.ts) right after its commit, so a change of that file or of the log says when
 * to look; a look costs microseconds. Where the system reports no changes (a network file
 * system, no watches left) a slow poll finds them.
 *
 * One watcher however many wait. It goes on for a second after the last one, who will often
 * be back at once. Nothing here keeps a process alive.
 */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

const POLL_MS = 100;
const LINGER_MS = 1000;

export class SqliteWatch {
  private readonly path: string;
  private readonly look: () => void;
  private readonly pollMs: number;
  private watcher: FSWatcher | undefined;
  private poll: NodeJS.Timeout | undefined;
  private linger: NodeJS.Timeout | undefined;
  private pending = false;

  /** `look` is called whenever there may be something new. */
  constructor(path: string, look: () => void, pollMs = POLL_MS) {
    this.path = path;
    this.look = look;
    this.pollMs = pollMs;
  }

  start(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    if (this.poll !== undefined) return;
    this.poll = setInterval(() => this.lookSoon(), this.pollMs).unref();
    this.watcher = this.watchFiles();
  }

  stop(): void {
    if (this.poll === undefined) return;
    this.linger ??= setTimeout(() => this.close(), LINGER_MS).unref();
  }

  close(): void {
    clearTimeout(this.linger);
    clearInterval(this.poll);
    this.watcher?.close();
    this.linger = undefined;
    this.poll = undefined;
    this.watcher = undefined;
  }

  private watchFiles(): FSWatcher | undefined {
    const name = basename(this.path);
    const telling = new Set([`${name}-owner`, `${name}-wal`]);
    try {
      const watcher = watch(dirname(this.path), { persistent: false });
      watcher.on('change', (_, file) => {
        if (file === null || telling.has(String(file))) this.lookSoon();
      });
      watcher.on('error', () => watcher.close()); // the poll goes on
      return watcher;
    } catch {
      return undefined; // no watches left, or none on this file system: the poll remains
    }
  }

  /** Many changes at once are one look. */
  private lookSoon(): void {
    if (this.pending) return;
    this.pending = true;
    setImmediate(() => {
      this.pending = false;
      if (this.poll !== undefined) this.look();
    });
  }
}

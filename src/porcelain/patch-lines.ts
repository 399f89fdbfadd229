/**
 * The lines of a patch as it streams in: decoded, numbered, blank lines and `#` comments
 * left out, line ends of either kind. Lines are taken without waiting while some are at
 * hand, so a reader waits once a block, never once a row.
 */
import { DvError } from '../errors.ts';

export class PatchLines {
  readonly #source: AsyncIterator<Uint8Array | string>;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #file: string | undefined;
  #ready: string[] = [];
  #next = 0;
  #rest = '';
  #ended = false;
  /** 1-based number of the line that `peek` gives. */
  line = 0;

  constructor(source: AsyncIterable<Uint8Array | string>, file?: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#file = file;
  }

  /** Whether `peek` has a line without waiting. Skips what is not a line of the patch. */
  get atHand(): boolean {
    while (this.#next < this.#ready.length) {
      const line = this.#ready[this.#next];
      if (line !== '' && !line.startsWith('#')) return true;
      this.skip();
    }
    return false;
  }

  /** The current line; `atHand` or `fill` has said that there is one. */
  peek(): string {
    return this.#ready[this.#next];
  }

  skip(): void {
    this.#next += 1;
    this.line += 1;
  }

  /** Waits until a line is at hand; false when the input has ended. */
  async fill(): Promise<boolean> {
    while (!this.atHand) {
      if (this.#ended) return false;
      await this.#readBlock();
    }
    return true;
  }

  async #readBlock(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (this.line === 0) this.line = 1;
    let text = this.#rest + (done ? this.#decode() : this.#decode(value));
    if (done) {
      this.#ended = true;
      if (text !== '') text += '\n';
    }
    const lines = text.split('\n');
    this.#rest = lines.pop() ?? '';
    this.#ready = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    this.#next = 0;
  }

  #decode(block?: Uint8Array | string): string {
    if (typeof block === 'string') return block;
    try {
      return this.#decoder.decode(block, { stream: block !== undefined });
    } catch (cause) {
      throw new DvError('bad-patch', `the patch is not UTF-8 near line ${this.line}`, {
        data: this.#place(),
        cause,
      });
    }
  }

  /** Ends the source early: nothing more will be read. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** The error for the current line: `what` ends the sentence "line 7 ...". */
  bad(what: string, hint?: string): DvError {
    const message = `line ${this.line} of the patch ${what}`;
    return new DvError('bad-patch', message, { hint, data: this.#place() });
  }

  /** The error for an input that ends where more must come. */
  cutShort(): DvError {
    const message = `the patch ends too early, at line ${this.line}`;
    const hint = 'it was cut short on its way: fetch or make it again';
    return new DvError('bad-patch', message, { hint, data: this.#place() });
  }

  #place(): Record<string, unknown> {
    const file = this.#file === undefined ? {} : { file: this.#file };
    return { ...file, line: this.line };
  }
}

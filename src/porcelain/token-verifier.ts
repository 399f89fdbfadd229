/**
 * Whose a token is, from the file of tokens (token-file.ts): read anew when it changes, so
 * that a token made or revoked counts at once. Fits the server's `TokenVerifier`.
 */
import { type BigIntStats, statSync } from 'node:fs';
import { DvError } from '../errors.ts';
import { isToken, tokenId } from '../sync/access-token.ts';
import { hasTokens, isExpired, readTokens, recordUse, type StoredToken } from './token-file.ts';

/** How fresh the note of a token's last use is. */
const USE_MS = 5 * 60_000;

export interface TokenOwner {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly { readonly role: string; readonly repositories: string }[];
}

export class FileTokenVerifier {
  readonly #file: string;
  readonly #now: () => number;
  readonly #report: (error: unknown) => void;
  readonly #noted = new Map<string, number>();
  #stamp = '';
  #byId = new Map<string, StoredToken>();

  /** `report` is told when the last use cannot be noted. */
  constructor(file: string, now: () => number, report: (error: unknown) => void) {
    this.#file = file;
    this.#now = now;
    this.#report = report;
  }

  async configured(): Promise<boolean> {
    return hasTokens(this.#file);
  }

  /** @throws DvError `unauthorized` for a right token that has expired */
  async verify(token: string): Promise<TokenOwner | undefined> {
    this.#refresh();
    const id = tokenId(token);
    const stored = id === undefined ? undefined : this.#byId.get(id);
    if (!isToken(token, stored?.hash) || stored === undefined) return undefined;
    if (isExpired(stored, this.#now())) {
      throw new DvError('unauthorized', `the token '${stored.id}' has expired`, {
        hint: 'ask for a new one: dv token create, at the server',
      });
    }
    this.#noteUse(stored.id);
    const { name, kind, repositories } = stored;
    return { id: `token:${stored.id}`, name, roles: [{ role: kind, repositories }] };
  }

  /** A file that cannot be read is a failure of the server: nobody gets in. */
  #refresh(): void {
    const stat = statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    const stamp = stat === undefined ? '' : stampOf(stat);
    if (stamp === this.#stamp) return;
    try {
      this.#byId = new Map(readTokens(this.#file).map((token) => [token.id, token]));
    } catch (cause) {
      throw new Error('the file of tokens cannot be read', { cause });
    }
    this.#stamp = stamp;
  }

  #noteUse(id: string): void {
    const now = this.#now();
    if (now - (this.#noted.get(id) ?? Number.NEGATIVE_INFINITY) < USE_MS) return;
    this.#noted.set(id, now);
    try {
      recordUse(this.#file, new Map([[id, now]]));
    } catch (error) {
      this.#report(error);
    }
  }
}

function stampOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs}`;
}

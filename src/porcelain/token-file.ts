/**
 * Tokens of a server, in `.dv/tokens.json` below what it serves (a repository, or a directory
 * of them): `{"version":1,"tokens":[{id,kind,name,repositories,hash,created,expires}]}`, times
 * in ms. Only hashes are kept; only the owner may read the file; it is replaced all at once,
 * so that a server reads the old list or the new one. While the file is there, tokens are
 * needed, even if it holds none. When a token was last used is kept apart, in
 * `.dv/token-use.json`: that is all a server writes.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DvError } from '../errors.ts';
import { mintToken, type TokenKind } from '../sync/access-token.ts';
import { updateFile } from './config.ts';
import { DOT_DIR, findWorktree } from './worktree.ts';
import { fileError } from './write-file.ts';

export interface StoredToken {
  readonly id: string;
  readonly kind: TokenKind;
  /** For people: who or what uses it; the actor of its pushes. */
  readonly name: string;
  /** Pattern over names of repositories; `*` is any text. */
  readonly repositories: string;
  /** Of the whole token (sync/access-token.ts). */
  readonly hash: string;
  readonly created: number;
  /** null: never. */
  readonly expires: number | null;
}

/** A token as it is shown: without its hash. */
export interface ListedToken extends Omit<StoredToken, 'hash'> {
  /** Known to some minutes; null: never, or not yet told. */
  readonly lastUsed: number | null;
  readonly expired: boolean;
}

export interface TokenOptions {
  readonly kind: TokenKind;
  readonly name: string;
  readonly repositories: string;
  readonly expires: number | null;
}

const OWNER_ONLY = 0o600;

/** Where the tokens of whoever serves `directory` are. A repository: its own, from within too. */
export function tokenFile(directory: string): string {
  const top = existsSync(join(directory, DOT_DIR, 'tokens.json'))
    ? directory
    : (findWorktree(directory) ?? directory);
  return join(resolve(top), DOT_DIR, 'tokens.json');
}

/** Whether tokens are needed. */
export function hasTokens(file: string): boolean {
  return existsSync(file);
}

/** @throws DvError `bad-config`, `file-unreadable` */
export function readTokens(file: string): readonly StoredToken[] {
  return parseTokens(readOptional(file), file);
}

export function listTokens(file: string, now: number): ListedToken[] {
  const used = readUse(file);
  return readTokens(file).map(({ hash: _, ...token }) => ({
    ...token,
    lastUsed: used[token.id] ?? null,
    expired: isExpired(token, now),
  }));
}

export function isExpired({ expires }: Pick<StoredToken, 'expires'>, now: number): boolean {
  return expires !== null && expires <= now;
}

/**
 * Makes a token; it is told here and never again.
 * @throws DvError `bad-config`, `locked`, `read-only`, `disk-full`
 */
export function createToken(
  file: string,
  options: TokenOptions,
  { now, random }: { now: number; random: (size: number) => Uint8Array },
): { readonly token: string; readonly stored: ListedToken } {
  const { id, token, hash } = mintToken(options.kind, random);
  const stored: StoredToken = { id, ...options, hash, created: now };
  makeDirectory(file);
  updateFile(file, (text) => formatTokens([...parseTokens(text, file), stored]), OWNER_ONLY);
  const { hash: _, ...listed } = stored;
  return { token, stored: { ...listed, lastUsed: null, expired: false } };
}

/** @throws DvError `unknown-token` when there is none, `bad-config`, ... */
export function revokeToken(file: string, id: string): void {
  updateFile(
    file,
    (text) => {
      const tokens = parseTokens(text, file);
      const left = tokens.filter((token) => token.id !== id);
      if (left.length < tokens.length) return formatTokens(left);
      throw new DvError('unknown-token', `there is no token '${id}'`, {
        hint: 'dv token list shows the ids',
      });
    },
    OWNER_ONLY,
  );
}

/** Notes when tokens were used; never goes back. @throws DvError `locked`, `disk-full`, ... */
export function recordUse(file: string, used: ReadonlyMap<string, number>): void {
  updateFile(
    noteFile(file),
    (text) => {
      const known = parseUse(text);
      for (const [id, time] of used) known[id] = Math.max(known[id] ?? 0, time);
      const kept = new Set(readTokens(file).map(({ id }) => id));
      const entries = Object.entries(known).filter(([id]) => kept.has(id));
      return `${JSON.stringify(Object.fromEntries(entries))}\n`;
    },
    OWNER_ONLY,
  );
}

function readUse(file: string): Record<string, number> {
  return parseUse(readOptional(noteFile(file)));
}

function noteFile(file: string): string {
  return join(dirname(file), 'token-use.json');
}

/** What was noted of uses is no loss: a file that cannot be read counts as empty. */
function parseUse(text: string): Record<string, number> {
  try {
    return { ...(JSON.parse(text) as Record<string, number>) };
  } catch {
    return {};
  }
}

function parseTokens(text: string, file: string): StoredToken[] {
  if (text === '') return [];
  try {
    const { version, tokens } = JSON.parse(text) as { version: number; tokens: StoredToken[] };
    if (version === 1 && tokens.every(isStoredToken)) return tokens;
  } catch {
    // Told below, with what to do.
  }
  throw new DvError('bad-config', `'${file}' is no list of tokens of this dv`, {
    hint: 'put a backup in its place, or move it away and make new tokens',
    data: { file },
  });
}

function isStoredToken(value: unknown): value is StoredToken {
  const { id, kind, name, repositories, hash, expires } = value as StoredToken;
  const texts = [id, kind, name, repositories, hash];
  const isInTime = expires === null || typeof expires === 'number';
  return texts.every((text) => typeof text === 'string') && isInTime;
}

function formatTokens(tokens: readonly StoredToken[]): string {
  return `${JSON.stringify({ version: 1, tokens }, undefined, 2)}\n`;
}

function readOptional(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new DvError('file-unreadable', `cannot read '${file}'`, { data: { file }, cause });
  }
}

function makeDirectory(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
  } catch (cause) {
    throw fileError(cause, file);
  }
}

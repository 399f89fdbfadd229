/**
 * Settings, from two files in git's syntax (config-text.ts): the user's own and the
 * repository's. The repository's count where both have a key. A file that is missing is
 * empty. Writing replaces the file all at once, under a lock file beside it, so that two
 * writers never lose each other's change.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DvError } from '../errors.ts';
import {
  addInText,
  canonicalKey,
  parseConfigText,
  removeSectionInText,
  renameSectionInText,
  setInText,
  unsetInText,
} from './config-text.ts';
import { fileError, syncDirectory } from './write-file.ts';

export type ConfigOrigin = 'user' | 'repository';

export interface ConfigEntry {
  /** As `canonicalKey` spells it. */
  readonly key: string;
  readonly value: string;
  readonly origin: ConfigOrigin;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

export interface Author {
  readonly name: string;
  readonly email: string;
}

export class Config {
  /** In order of precedence: a later entry beats an earlier one of the same key. */
  readonly entries: readonly ConfigEntry[];

  constructor(entries: readonly ConfigEntry[]) {
    this.entries = entries;
  }

  /** The entry that counts. @throws DvError `bad-name` */
  find(key: string): ConfigEntry | undefined {
    const wanted = canonicalKey(key);
    return this.entries.findLast((entry) => entry.key === wanted);
  }

  get(key: string): string | undefined {
    return this.find(key)?.value;
  }

  /** Every value of a key that may be there several times, in order. */
  getAll(key: string): readonly string[] {
    const wanted = canonicalKey(key);
    return this.entries.filter((entry) => entry.key === wanted).map(({ value }) => value);
  }

  /** The subsections of a section, such as the names of remotes, in order. */
  subsections(section: string): readonly string[] {
    const names = this.entries
      .filter(({ key }) => key.startsWith(`${section}.`))
      .map(({ key }) => key.slice(section.length + 1, key.lastIndexOf('.')))
      .filter((name) => name.length > 0);
    return [...new Set(names)];
  }

  /** A setting that is on or off. @throws DvError `bad-config` when it is neither */
  getFlag(key: string): boolean | undefined {
    const entry = this.find(key);
    if (entry === undefined) return undefined;
    const value = entry.value.toLowerCase();
    if (['true', 'yes', 'on', '1'].includes(value)) return true;
    if (['false', 'no', 'off', '0', ''].includes(value)) return false;
    throw new DvError('bad-config', `${entry.key} is '${entry.value}', neither true nor false`, {
      data: { file: entry.file, line: entry.line },
    });
  }
}

/** Where the settings of the repository with that `.dv` are. */
export function repositoryConfigFile(dotDir: string): string {
  return join(dotDir, 'config');
}

/** @throws DvError `bad-config` with file and line, `file-unreadable` */
export function readConfig(dotDir: string | undefined, userConfig: string | undefined): Config {
  const user = userConfig === undefined ? [] : readEntries(userConfig, 'user');
  const repository =
    dotDir === undefined ? [] : readEntries(repositoryConfigFile(dotDir), 'repository');
  return new Config([...user, ...repository]);
}

function readEntries(file: string, origin: ConfigOrigin): ConfigEntry[] {
  return parseConfigText(readText(file), file).map(({ key, value, first }) => ({
    key,
    value,
    origin,
    file,
    line: first + 1,
  }));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new DvError('file-unreadable', `cannot read '${file}': ${message}`, { cause });
  }
}

/**
 * Sets a key in one file; of several entries of the key one remains. Makes the file.
 * @throws DvError `bad-name`, `bad-config`, `locked`, `read-only`, `disk-full`
 */
export function setConfig(file: string, key: string, value: string): void {
  updateFile(file, (text) => setInText(text, key, value, file));
}

/** Adds one more value of a key. Throws as `setConfig`. */
export function addConfig(file: string, key: string, value: string): void {
  updateFile(file, (text) => addInText(text, key, value, file));
}

/** Removes `[section "sub"]` with all it holds. Throws as `setConfig`. */
export function removeConfigSection(file: string, section: string, sub: string): void {
  updateFile(file, (text) => removeSectionInText(text, section, sub, file));
}

/** Gives `[section "from"]` the name `to`. Throws as `setConfig`. */
export function renameConfigSection(
  file: string,
  section: string,
  names: readonly [from: string, to: string],
): void {
  updateFile(file, (text) => renameSectionInText(text, section, names, file));
}

/** Removes a key from one file; false when it was not there. Throws as `setConfig`. */
export function unsetConfig(file: string, key: string): boolean {
  let found = false;
  updateFile(file, (text) => {
    const wanted = canonicalKey(key);
    found = parseConfigText(text, file).some((entry) => entry.key === wanted);
    return found ? unsetInText(text, key, file) : text;
  });
  return found;
}

/**
 * Replaces a small file by what `update` makes of its text, all at once and by one writer at
 * a time; `newMode` is for a file that is not there yet. @throws DvError as `setConfig`
 */
export function updateFile(link: string, update: (text: string) => string, newMode = 0o666): void {
  const file = statSync(link, { throwIfNoEntry: false }) === undefined ? link : realpathSync(link);
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? newMode;
  const lock = `${file}.lock`;
  const handle = openLock(lock, file, mode);
  let renamed = false;
  try {
    const before = readText(file);
    const after = update(before);
    if (after === before) return;
    writeFileSync(handle, after);
    fsyncSync(handle);
    renameSync(lock, file);
    renamed = true;
    syncDirectory(dirname(file));
  } catch (cause) {
    throw fileError(cause, file);
  } finally {
    closeSync(handle);
    if (!renamed) rmSync(lock, { force: true });
  }
}

/** The lock is the new file itself: made only when there is none, renamed when complete. */
function openLock(lock: string, file: string, mode: number): number {
  try {
    mkdirSync(dirname(lock), { recursive: true });
    return openSync(lock, 'wx', mode & 0o777);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError(cause, file);
    throw new DvError('locked', `another dv is changing '${file}'`, {
      hint: `try again; if no dv runs, remove ${lock}`,
      cause,
    });
  }
}

/**
 * Who commits: DV_AUTHOR_NAME and DV_AUTHOR_EMAIL, else the settings user.name, user.email.
 * @throws DvError `no-author` when either is unknown or holds what a person line cannot
 */
export function resolveAuthor(
  env: Readonly<Record<string, string | undefined>>,
  config: Config,
): Author {
  const name = (env.DV_AUTHOR_NAME || config.get('user.name') || '').trim();
  const email = (env.DV_AUTHOR_EMAIL || config.get('user.email') || '').trim();
  if (name === '' || email === '') {
    throw new DvError('no-author', `dv does not know your ${name === '' ? 'name' : 'e-mail'}`, {
      hint: 'dv config --global user.name "Your Name" && dv config --global user.email you@example.org',
    });
  }
  const bad = [name, email].find((text) => /[<>\n\r\0]/.test(text));
  if (bad !== undefined) {
    throw new DvError(
      'no-author',
      `'${bad}' cannot be part of an author: it holds <, > or a line end`,
    );
  }
  return { name, email };
}

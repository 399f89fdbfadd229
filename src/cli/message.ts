/**
 * The message of a commit or a tag: from `-m` (a paragraph each), from a file, or written in
 * the user's editor when a person sits at a terminal.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DvError } from '../errors.ts';
import { readConfig } from '../porcelain/config.ts';
import type { Repository } from '../porcelain/repository.ts';
import type { Context } from './context.ts';
import { readText } from './read-text.ts';

export interface MessageFlags {
  readonly message?: readonly string[];
  readonly file?: string;
}

/** For commander: `-m a -m b`. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** The message on the command line; undefined: none was given. @throws DvError `bad-option` */
export async function readMessage(
  context: Context,
  { message, file }: MessageFlags,
): Promise<string | undefined> {
  if (message !== undefined && file !== undefined) {
    throw new DvError('bad-option', "'--message' and '--file' exclude each other");
  }
  if (file !== undefined) return readText(context, file);
  return message?.join('\n\n');
}

/** Whether somebody is there to write a message. */
export function canEdit({ stdinIsTTY, isTTY, json }: Context): boolean {
  return stdinIsTTY && isTTY && !json;
}

/**
 * Has the user edit `draft`; lines that begin with `#` are left out of what comes back.
 * @throws DvError `no-message` when there is no editor, or it fails
 */
export function editMessage(
  context: Pick<Context, 'environment'>,
  repo: Pick<Repository, 'dotDir'>,
  name: 'COMMIT_EDITMSG' | 'TAG_EDITMSG' | 'REBASE_PLAN' | 'REBASE_MESSAGE',
  draft: string,
): string {
  const editor = findEditor(context, repo);
  const otherwise = name.startsWith('REBASE') ? '--todo FILE takes a plan' : 'give one with -m';
  if (editor === undefined) {
    const what = name === 'REBASE_PLAN' ? 'plan' : 'message';
    throw new DvError('no-message', `there is no ${what}, and no editor to write one`, {
      hint: `${otherwise}, or set EDITOR`,
    });
  }
  const path = join(repo.dotDir, name);
  writeFileSync(path, draft);
  // By a shell, as the variable may hold options: EDITOR="code --wait".
  const { status, error } = spawnSync('sh', ['-c', `${editor} "$@"`, editor, path], {
    stdio: 'inherit',
  });
  if (error !== undefined || status !== 0) {
    throw new DvError('no-message', `the editor '${editor}' failed`, {
      hint: otherwise,
    });
  }
  return cleanMessage(readFileSync(path, 'utf8'));
}

function findEditor(
  { environment }: Pick<Context, 'environment'>,
  repo: Pick<Repository, 'dotDir'>,
): string | undefined {
  const { variables, userConfig } = environment;
  const configured = readConfig(repo.dotDir, userConfig).get('core.editor');
  return configured || variables.VISUAL || variables.EDITOR || undefined;
}

/** Without comments, blanks at line ends, and more than one empty line in a row. */
export function cleanMessage(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .replace(/^#.*(?:\n|$)/gm, '')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '');
}

/** Text as comments of a draft. */
export function asComment(text: string): string {
  return text.trimEnd().replace(/^(.*)$/gm, (line) => (line === '' ? '#' : `# ${line}`));
}

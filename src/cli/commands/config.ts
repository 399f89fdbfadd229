/**
 * `dv config`: settings of the user and of the repository.
 *
 *   dv config [list]          every setting        dv config [get] KEY
 *   dv config unset KEY                            dv config [set] KEY VALUE
 *
 * JSON: list is `{"entries":[{key,value,origin,file,line}]}`; get is one entry, its value
 * null (and the exit status 1) when the key is not set; set and unset name key and file.
 */
import { join } from 'node:path';
import { DvError } from '../../errors.ts';
import {
  type Config,
  type ConfigEntry,
  readConfig,
  repositoryConfigFile,
  setConfig,
  unsetConfig,
} from '../../porcelain/config.ts';
import { DOT_DIR, findWorktree } from '../../porcelain/worktree.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';

interface Options {
  readonly global?: boolean;
  readonly local?: boolean;
  readonly list?: boolean;
  readonly unset?: boolean;
  readonly showOrigin?: boolean;
}

type Request =
  | { readonly action: 'list' }
  | { readonly action: 'get'; readonly key: string }
  | { readonly action: 'set'; readonly key: string; readonly value: string }
  | { readonly action: 'unset'; readonly key: string };

const STATUS_NOT_SET = 1;
const FORMS = 'dv config list, get KEY, set KEY VALUE or unset KEY';

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Read and change settings. The repository keeps its own in .dv/config; those of the ' +
          'user, which hold everywhere else, are in ~/.config/dv/config. With a key alone dv ' +
          'prints its value, with a key and a value it sets it.',
      )
      .argument('[action]', 'list, get, set or unset; may be left out')
      .argument('[key]', 'section.name or section.sub.name, such as user.name')
      .argument('[value]', 'what to set it to')
      .option('--global', 'only the settings of the user')
      .option('--local', 'only the settings of the repository')
      .option('-l, --list', 'show every setting, as list does')
      .option('--unset', 'remove the key, as unset does')
      .option('--show-origin', 'say in which file and line each setting is');
  },
  examples: [
    ['dv config --global user.name "Ada Lovelace"', 'say who commits'],
    ['dv config list --show-origin', 'every setting and where it comes from'],
  ],
  async run(context, { operands, options }) {
    if (options.global && options.local) {
      throw new DvError('bad-option', "'--global' and '--local' exclude each other");
    }
    const request = readRequest(operands, options);
    if (request.action === 'list') return list(context, options);
    if (request.action === 'get') return get(context, request.key, options);
    const file = fileToChange(context, options);
    if (request.action === 'set') return set(context, request, file);
    return unset(context, request.key, file);
  },
};

/** Tells the short forms, which git has too, from those that name the action. */
function readRequest(operands: readonly string[], options: Options): Request {
  const [first, second, third] = operands;
  if (options.list) return expectCount({ action: 'list' }, operands, 0);
  if (options.unset) return expectCount({ action: 'unset', key: first }, operands, 1);
  if (first === undefined) return { action: 'list' };
  if (first === 'list') return expectCount({ action: 'list' }, operands, 1);
  if (first === 'get') return expectCount({ action: 'get', key: second }, operands, 2);
  if (first === 'unset') return expectCount({ action: 'unset', key: second }, operands, 2);
  if (first === 'set')
    return expectCount({ action: 'set', key: second, value: third }, operands, 3);
  if (operands.length === 1) return { action: 'get', key: first };
  return expectCount({ action: 'set', key: first, value: second }, operands, 2);
}

function expectCount(request: Request, operands: readonly string[], count: number): Request {
  if (operands.length === count) return request;
  throw new DvError('bad-option', `'config ${operands.join(' ')}' is no form of dv config`, {
    hint: FORMS,
  });
}

function dotDirOf(context: Context): string | undefined {
  const worktree = findWorktree(context.cwd);
  return worktree === undefined ? undefined : join(worktree, DOT_DIR);
}

function readSettings(context: Context, options: Options): Config {
  const dotDir = options.global ? undefined : dotDirOf(context);
  if (options.local && dotDir === undefined) throw noRepository(context);
  return readConfig(dotDir, options.local ? undefined : context.environment.userConfig);
}

function fileToChange(context: Context, options: Options): string {
  if (options.global) {
    const { userConfig } = context.environment;
    if (userConfig !== undefined) return userConfig;
    throw new DvError('bad-option', 'there is no home directory for the settings of the user', {
      hint: 'set HOME or XDG_CONFIG_HOME',
    });
  }
  const dotDir = dotDirOf(context);
  if (dotDir === undefined) throw noRepository(context);
  return repositoryConfigFile(dotDir);
}

function noRepository(context: Context): DvError {
  return new DvError('not-a-repository', `no dv repository here or above: '${context.cwd}'`, {
    hint: 'dv config --global changes the settings of the user',
  });
}

function list(context: Context, options: Options): number {
  const { entries } = readSettings(context, options);
  if (context.json) context.out.json({ entries });
  for (const entry of context.json ? [] : entries) {
    const origin = options.showOrigin ? `${entry.file}:${entry.line}\t` : '';
    context.out.line(context.shownLine(`${origin}${entry.key}=${entry.value}`));
  }
  return 0;
}

function get(context: Context, key: string, options: Options): number {
  const entry = readSettings(context, options).find(key);
  if (context.json) context.out.json(entry ?? { key, value: null });
  else if (entry !== undefined) context.out.line(renderValue(context, entry, options));
  return entry === undefined ? STATUS_NOT_SET : 0;
}

function renderValue(context: Context, entry: ConfigEntry, options: Options): string {
  const origin = options.showOrigin ? `${entry.file}:${entry.line}\t` : '';
  return context.shown(origin + entry.value);
}

function set(context: Context, request: { key: string; value: string }, file: string): number {
  setConfig(file, request.key, request.value);
  if (context.json) context.out.json({ key: request.key, value: request.value, file });
  return 0;
}

function unset(context: Context, key: string, file: string): number {
  const found = unsetConfig(file, key);
  if (context.json) context.out.json({ key, file, removed: found });
  else if (!found) context.note(`${key} is not set in ${file}`);
  return found ? 0 : STATUS_NOT_SET;
}

/**
 * `dv tag`: names for commits that do not move.
 *
 * JSON: a list is `{"tags":[{tag,commit,message,tagger,time}]}` (the last three of annotated
 * ones); making gives one of these; deleting `{"deleted":[...]}`.
 */
import { DvError } from '../../errors.ts';
import { readSubject } from '../../porcelain/log.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { createTag, deleteTag, listTags, type TagInfo } from '../../porcelain/tag.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { matchesGlob } from '../glob.ts';
import { canEdit, collect, editMessage, type MessageFlags, readMessage } from '../message.ts';
import { shortHash } from '../render/commit-parts.ts';
import { displayWidth, pad } from '../render/width.ts';

interface Options extends AsOfFlag, MessageFlags {
  readonly list?: boolean;
  readonly delete?: boolean;
  readonly force?: boolean;
  readonly annotate?: boolean;
  /** true: `-n` alone. */
  readonly n?: string | true;
}

/** Columns of the names where messages stand behind them. */
const LEAST_NAME = 15;

const DRAFT = `
# Write the message of the tag. Lines that begin with '#' are left out, and an empty
# message ends dv without a tag.
`;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description('List tags, or make and delete them.')
      .argument('[name...]', 'the tag to make, and what it names (default: HEAD)')
      .option('-l, --list', 'list; names are patterns such as "v1.*"')
      .option('-n [lines]', 'list with so many lines of each message (default: 1)')
      .option('-a, --annotate', 'with who, when and a message')
      .option('-m, --message <text>', 'the message of an annotated tag', collect)
      .option('-F, --file <file>', 'read the message from a file, or - for standard input')
      .option('-f, --force', 'move the tag if it exists')
      .option('-d, --delete', 'delete tags');
    declareAsOf(command);
  },
  examples: [
    ['dv tag v1', 'name the commit you are at'],
    ['dv tag -a -m "As published" 2026-11 HEAD~2', 'with a message, at an earlier commit'],
    ['dv tag -l "v1.*"', 'list some'],
  ],
  async run(context, { operands, options }) {
    const repo = await openAsOf(context, options);
    if (options.delete) return remove(context, repo, operands);
    const isList = options.list || options.n !== undefined || operands.length === 0;
    if (isList) return list(context, repo, operands, options);
    return create(context, repo, operands, options);
  },
};

async function remove(
  context: Context,
  repo: Repository,
  names: readonly string[],
): Promise<number> {
  if (names.length === 0) throw new DvError('bad-option', 'no tag was named to delete');
  const deleted: TagInfo[] = [];
  for (const name of names) {
    const gone = await deleteTag(repo, name);
    deleted.push(gone);
    if (context.json || context.quiet) continue;
    context.out.line(
      context.shownLine(`Deleted tag '${gone.tag}' (was ${shortHash(gone.commit)})`),
    );
  }
  if (context.json) context.out.json({ deleted });
  return 0;
}

async function create(
  context: Context,
  repo: Repository,
  [name, revision = 'HEAD', ...more]: readonly string[],
  options: Options,
): Promise<number> {
  if (more.length > 0) {
    throw new DvError('bad-option', 'a tag has one name and names one commit', {
      hint: 'dv tag NAME [REV]',
    });
  }
  const given = await readMessage(context, options);
  const message = given ?? (options.annotate ? askInEditor(context, repo) : undefined);
  if (message?.trim() === '') throw noMessage();
  const tag = await createTag(repo, name, revision, { message, force: options.force });
  if (context.json) context.out.json(tag);
  return 0;
}

function askInEditor(context: Context, repo: Repository): string {
  if (!canEdit(context)) throw noMessage();
  return editMessage(context, repo, 'TAG_EDITMSG', DRAFT);
}

function noMessage(): DvError {
  return new DvError('no-message', 'an annotated tag needs a message', {
    hint: 'dv tag -a -m MESSAGE NAME',
  });
}

async function list(
  context: Context,
  repo: Repository,
  patterns: readonly string[],
  { n }: Options,
): Promise<number> {
  const lines = n === true ? 1 : readLines(n);
  const tags = (await listTags(repo)).filter(({ tag }) => matchesGlob(tag, patterns));
  const width = Math.max(LEAST_NAME, ...tags.map(({ tag }) => displayWidth(tag)));
  if (context.json) context.out.json({ tags });
  for (const { tag, commit, message } of context.json ? [] : tags) {
    const name = context.shownLine(tag);
    if (lines === 0) context.out.line(name);
    else {
      const text = message ?? (await readSubject(repo, commit));
      const [first, ...rest] = context.shown(text).trim().split('\n').slice(0, lines);
      context.out.line(
        `${pad(name, width)} ${first}${rest.map((line) => `\n    ${line}`).join('')}`,
      );
    }
  }
  return 0;
}

function readLines(n: string | undefined): number {
  if (n === undefined || /^\d{1,6}$/.test(n)) return Number(n ?? 0);
  throw new DvError('bad-option', `'-n ${n}' is no number of lines`);
}

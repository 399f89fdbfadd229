/**
 * `dv show [REV | TAG | REV:TABLE]...`: a commit and the rows it changed against its first
 * parent, or a table as a commit has it, in the form of its file.
 *
 * JSON of a commit: a line as in `log --json`, with `tag` (`{name,tagger,time,message}`) where
 * an annotated one was named, then a line a changed row as in `diff --json`; with --stat one
 * line that has the counts as `tables`, with --no-patch the first line alone.
 * JSON of a table: a line a row; of a plain file `{"file","hash","bytes"}`.
 */
import { DvError } from '../../errors.ts';
import { splitTableRevision } from '../../model/revision.ts';
import { type DiffOptions, diffCommit } from '../../porcelain/diff.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { splitRevisions } from '../../porcelain/revisions-and-paths.ts';
import { readOneRow } from '../../porcelain/row-questions.ts';
import { findShown, type ShownCommit } from '../../porcelain/show.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import { declareCommitFormat, type FormatFlags, styleOf } from '../commit-format.ts';
import { commitAsJson, tagAsJson } from '../commit-json.ts';
import type { Context } from '../context.ts';
import {
  type DiffFlags,
  type DiffView,
  declareDiffOptions,
  readDiffView,
} from '../diff-options.ts';
import { parseKeyList } from '../key-list.ts';
import { type CommitStyle, renderCommit } from '../render/commit-text.ts';
import { cellText } from '../render/conflict-text.ts';
import { renderDiffView } from '../render/diff-view.ts';
import { renderTag } from '../render/tag-text.ts';
import { displayWidth, pad } from '../render/width.ts';
import { writeEntry } from '../write-entry.ts';
import { writeTexts } from '../write-output.ts';

interface Options extends AsOfFlag, DiffFlags, Omit<FormatFlags, 'format'> {
  readonly key?: string;
  /** false: `--no-patch`. */
  readonly patch: boolean;
}

/** Rows of each table that a terminal is shown at most, if nothing else was asked for. */
const TERMINAL_LIMIT = 100;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Show a commit and the rows it changed, an annotated tag and its commit, or with ' +
          'REV:TABLE a table as that commit has it. On a terminal at most ' +
          `${TERMINAL_LIMIT} rows of each table are shown unless --limit or --full says otherwise.`,
      )
      .argument('[object...]', 'REV (default: HEAD), TAG or REV:TABLE; tables, perhaps behind --')
      .option('-s, --no-patch', 'only who, when and why')
      .option('--key <key>', 'of REV:TABLE only this row; cells of a key joined by commas');
    declareCommitFormat(command);
    declareDiffOptions(command);
    declareAsOf(command);
  },
  examples: [
    ['dv show', 'the last commit, and the rows it changed'],
    ['dv show --stat HEAD~2', 'how many rows of each table a commit changed'],
    ['dv show v1:cities.csv', 'a table as a tag has it'],
  ],
  async run(context, { operands, beforeDashes, options }) {
    const view = readView(context, options);
    const repo = await openAsOf(context, options);
    const { objects, paths } = await splitObjects(repo, operands, beforeDashes);
    if (options.key !== undefined) return showOneRow(context, repo, objects, options.key);
    const plain = await styleOf(context, repo, { ...options, format: undefined });
    const style = { ...plain, resolved: true };
    for (const [index, object] of objects.entries()) {
      const shown = await findShown(repo, object);
      if (shown.kind !== 'commit') {
        checkTableFlags(object, options);
        await writeEntry(context, repo, object, shown.entry, view.limit);
      } else {
        if (index > 0 && !context.json) context.out.line();
        const texts = showCommit(context, repo, shown, { paths, view, style, options });
        await writeTexts(context, texts);
      }
    }
    return 0;
  },
};

/** What only a difference has. */
const OF_CHANGES = {
  '--stat': 'stat',
  '--summary': 'summary',
  '--schema': 'schema',
  '--name-only': 'nameOnly',
  '--format': 'format',
  '--layout': 'layout',
  '--columns': 'columns',
  '--ignore-columns': 'ignoreColumns',
  '--where': 'where',
  '--tolerance': 'tolerance',
  '--complete': 'complete',
} as const;

/** @throws DvError `bad-option` for a flag that a table would not heed */
function checkTableFlags(object: string, options: Options): void {
  const given = Object.entries(OF_CHANGES).find(([, name]) => options[name] !== undefined);
  if (given === undefined) return;
  throw new DvError('bad-option', `'${given[0]}' is about what a commit changed, not a table`, {
    hint: `dv export ${object} writes the table in any format; dv show ${object} --key one row`,
  });
}

async function showOneRow(
  context: Context,
  repo: Repository,
  objects: readonly string[],
  text: string,
): Promise<number> {
  const [object, ...more] = objects;
  if (more.length > 0 || !object.includes(':')) {
    throw new DvError('bad-option', "'--key' shows a row of one REV:TABLE", {
      hint: 'dv show HEAD:cities.csv --key 42',
    });
  }
  const { schema, row } = await readOneRow(repo, object, parseKeyList(text, '--key')[0] ?? []);
  const cells = schema.columns.map(({ name }, i) => [name, row[i]] as const);
  if (context.json) context.out.json(Object.fromEntries(cells));
  else {
    const width = Math.max(...cells.map(([name]) => displayWidth(context.shownLine(name))));
    for (const [name, cell] of cells) {
      const label = context.paint.heading(pad(context.shownLine(name), width));
      context.out.line(`${label}  ${cellText(cell)}`);
    }
  }
  return 0;
}

function readView(context: Context, options: Options): DiffView {
  const view = readDiffView(options, context);
  const isLong = view.level === 'rows' && view.format === 'text' && !view.full;
  if (!context.isTTY || !isLong || view.limit !== undefined) return view;
  return { ...view, limit: TERMINAL_LIMIT };
}

/** Objects in the order given, and the paths. */
async function splitObjects(
  repo: Repository,
  words: readonly string[],
  beforeDashes: number | undefined,
): Promise<{ objects: readonly string[]; paths: readonly string[] }> {
  const namesEntry = (word: string, index: number) =>
    splitTableRevision(word)[0] !== undefined && index < (beforeDashes ?? words.length);
  const entries = words.filter(namesEntry);
  const others = words.filter((word, index) => !namesEntry(word, index));
  const before = beforeDashes === undefined ? undefined : beforeDashes - entries.length;
  const { revisions, paths } = await splitRevisions(repo, others, before);
  if (entries.length > 0 && paths.length > 0) {
    throw new DvError('bad-option', `'${entries[0]}' is a table already; it takes no paths`);
  }
  const objects = words.filter((word) => entries.includes(word) || revisions.includes(word));
  return { objects: objects.length === 0 ? ['HEAD'] : objects, paths };
}

interface Request {
  readonly paths: readonly string[];
  readonly view: DiffView;
  readonly style: CommitStyle;
  readonly options: Options;
}

async function* showCommit(
  context: Context,
  repo: Repository,
  { hash, commit, tag }: ShownCommit,
  { paths, view, style, options }: Request,
): AsyncGenerator<string> {
  const { paint, json, environment } = context;
  const width = context.isTTY ? context.width : undefined;
  const fields = { ...commitAsJson(hash, commit), ...(tag && { tag: tagAsJson(tag) }) };
  const asOne = view.level === 'stat' || view.level === 'summary';
  if (json && !(asOne && options.patch)) yield `${JSON.stringify(fields)}\n`;
  // A page, a patch and the like are the difference alone.
  const headed = !json && (view.format === 'text' || !options.patch);
  if (headed && tag !== undefined) yield `${renderTag(tag, context)}\n\n`;
  if (headed) yield `${renderCommit(hash, commit, style)}\n`;
  if (!options.patch) return;
  const request: DiffOptions = { ...view.filter, paths };
  const result = await diffCommit(repo, commit, request);
  const texts = renderDiffView(
    result,
    { view, json, title: hash, report: environment.report, paint, width },
    { different: false },
  );
  let first = true;
  for await (const text of texts) {
    if (json && asOne) yield `${JSON.stringify({ ...fields, ...JSON.parse(text) })}\n`;
    else yield first && headed ? `\n${text}` : text;
    first = false;
  }
}

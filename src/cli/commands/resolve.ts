/**
 * `dv resolve [TABLE...]`: settles conflicts of the merge in progress.
 *
 * JSON: `{"resolved","partly","left","files":[...]}`. Exit status 0, also while others are left.
 */
import { DvError } from '../../errors.ts';
import { resolveFromFile } from '../../porcelain/conflict-file.ts';
import { countByTable } from '../../porcelain/conflicts.ts';
import { type Repository, tableNameOf } from '../../porcelain/repository.ts';
import type { ResolveResult } from '../../porcelain/resolve.ts';
import { type ResolveChoice, resolve } from '../../porcelain/resolve-choices.ts';
import type { Cell } from '../../tuple/schema.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { parseKeyList } from '../key-list.ts';
import { collect } from '../message.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { readText } from '../read-text.ts';
import { formatCount } from '../render/count.ts';
import { readRule } from './merge.ts';

interface Options {
  readonly ours?: boolean;
  readonly theirs?: boolean;
  readonly base?: boolean;
  readonly rule?: string;
  readonly key?: readonly string[];
  readonly column?: readonly string[];
  readonly where?: string;
  readonly value?: readonly string[];
  readonly from?: string;
  readonly interactive?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Settle conflicts of the merge in progress: all of them, or those of some tables, keys, ' +
          'columns or that match a condition. dv commit ends the merge when none is left.',
      )
      .argument('[table...]', 'only of these tables')
      .option('-i, --interactive', 'one by one, on a screen')
      .option('--ours', 'what the current branch has')
      .option('--theirs', 'what comes in')
      .option('--base', 'what both began from')
      .option('--rule <rule>', 'by a merge rule: max, sum, latest, text...; what it cannot, stays')
      .option('--value <column=text>', 'this text, for a column; may be repeated', collect)
      .option('--key <key>', 'only the row with this key; cells joined by commas', collect)
      .option('--column <column>', 'only cells of this column; may be repeated', collect)
      .option('--where <condition>', 'only rows that match; x, base_x, ours_x, theirs_x')
      .option('--from <file>', 'as filled in in a file that dv conflicts --export wrote');
  },
  examples: [
    ['dv resolve -i', 'look at each, and choose'],
    ['dv resolve --theirs cities.csv', 'take what comes in for a table'],
    ['dv resolve --key 42 --value population=134000', 'say what a cell is'],
    ['dv resolve --rule max --column population', 'the larger number, everywhere'],
    ['dv resolve --ours --where "theirs_population IS NULL"', 'some of them'],
    ['dv resolve --from left.csv', 'what a spreadsheet settled'],
  ],
  async run(context, { operands, options }) {
    if (options.interactive) return onScreen(context, operands, options);
    const choice = readChoice(options);
    if (choice === undefined && operands.length > 0) {
      throw new DvError('bad-option', "'--from' says itself what it settles", {
        hint: 'leave the tables out',
      });
    }
    const repo = await openRepositoryOf(context);
    const result =
      choice === undefined
        ? await resolveFromFile(repo, await readText(context, options.from!), options.from!)
        : await resolve(repo, { choice, ...narrowing(repo, operands, options) });
    if (context.json) context.out.json(result);
    else if (!context.quiet) context.out.line(renderResult(result));
    if (result.left === 0) context.note(nextStep(result));
    return 0;
  },
};

async function onScreen(
  context: Context,
  operands: readonly string[],
  options: Options,
): Promise<number> {
  const others = Object.entries(options).find(([name, value]) => value && name !== 'interactive');
  if (others !== undefined) {
    throw new DvError('bad-option', `'-i' does not go with '--${others[0]}'`);
  }
  const { openResolveScreen } = await import('../screens/open-resolve.ts');
  const repo = await openRepositoryOf(context);
  const tables = operands.map((path) => tableNameOf(repo, path));
  await openResolveScreen(context, repo, tables);
  const counts = await countByTable(repo);
  const left = counts.reduce((sum, { conflicts }) => sum + conflicts, 0);
  context.note(left === 0 ? 'no conflicts are left' : `${formatCount(left, 'conflicts')} left`);
  return 0;
}

/** Undefined: from a file. @throws DvError `bad-option` */
function readChoice(options: Options): ResolveChoice | undefined {
  const { ours, theirs, base, rule, value, from } = options;
  const given = Object.entries({ ours, theirs, base, rule, value, from }).filter(
    ([, option]) => option !== undefined,
  );
  const names = given.map(([name]) => `'--${name}'`);
  if (names.length !== 1) {
    const why =
      names.length === 0 ? 'say how to resolve' : `${names[0]} and ${names[1]} exclude each other`;
    throw new DvError('bad-option', why, {
      hint: 'one of --ours, --theirs, --base, --rule, --value and --from',
    });
  }
  if (from !== undefined) {
    if (options.key ?? options.column ?? options.where) {
      throw new DvError('bad-option', "'--from' says itself what it settles");
    }
    return undefined;
  }
  if (rule !== undefined) return { kind: 'rule', rule: readRule(rule)! };
  if (value === undefined) {
    return { kind: 'side', side: ours ? 'ours' : theirs ? 'theirs' : 'base' };
  }
  if (options.key === undefined && options.where === undefined) {
    throw new DvError('bad-option', "'--value' needs --key or --where", {
      hint: 'dv resolve --key 42 --value population=134000',
    });
  }
  return { kind: 'values', values: new Map(value.map(readValue)) };
}

function readValue(text: string): readonly [string, Cell] {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new DvError('bad-option', `"${text}" is not COLUMN=TEXT`, {
      hint: '--value population=134000; --value note= is null, --value \'note=""\' an empty text',
    });
  }
  const cell = text.slice(at + 1);
  return [text.slice(0, at), cell === '' ? null : cell === '""' ? '' : cell];
}

function narrowing(repo: Repository, operands: readonly string[], options: Options) {
  const keys = options.key?.map((text) => parseKeyList(text, '--key')[0] ?? []);
  return {
    tables: operands.map((path) => tableNameOf(repo, path)),
    ...(keys && { keys }),
    ...(options.column && { columns: options.column }),
    ...(options.where !== undefined && { where: options.where }),
  };
}

function renderResult({ resolved, partly, left }: ResolveResult): string {
  const settled = `${formatCount(resolved, 'conflicts')} resolved`;
  const part = partly === 0 ? '' : `, ${partly} in part`;
  return `${settled}${part}; ${left === 0 ? 'none is' : `${formatCount(left, 'conflicts')}`} left`;
}

function nextStep({ operation }: ResolveResult): string {
  const isSequence = operation !== 'merge' && operation !== 'stash';
  return isSequence ? `dv ${operation} --continue goes on` : `dv commit ends the ${operation}`;
}

/** From a merge in progress to the resolve screen and back: what is listed, what is stored. */
import { DvError } from '../../errors.ts';
import { listConflicts, requireMerge } from '../../porcelain/conflicts.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { type Resolver, resolveConflicts } from '../../porcelain/resolve.ts';
import type { Context } from '../context.ts';
import {
  type Decision,
  type Item,
  type ResolveState,
  resolutionOf,
  startState,
  WHOLE,
} from './resolve-model.ts';

/** Conflicts that are looked at in one go; the next come when these are saved. */
const PAGE = 2000;

/** @throws DvError `not-a-terminal`, `no-merge`, `no-such-conflict` */
export async function openResolveScreen(
  context: Context,
  repo: Repository,
  tables: readonly string[],
): Promise<void> {
  if (!context.isTTY || !context.stdinIsTTY) {
    throw new DvError('not-a-terminal', 'dv resolve -i needs a terminal', {
      hint: 'dv resolve --ours, --theirs, --rule or --from settles conflicts without one',
    });
  }
  const { state: merge } = await requireMerge(repo);
  const items = await loadPage(repo, tables);
  if (items.length === 0) {
    context.note('no conflicts are left; dv commit ends the merge');
    return;
  }
  // Ink is loaded only here: it would double the start of every other command.
  const { runResolveScreen } = await import('./resolve-screen.ts');
  await runResolveScreen(startState(items), {
    title: `${merge.operation} of ${context.shownLine(merge.theirName)}`,
    color: context.color,
    shownLine: context.shownLine,
    enterScreen: () => toTerminal(context, ENTER),
    leaveScreen: () => toTerminal(context, LEAVE),
    save: async (state) => {
      if (state.decisions.size > 0) await store(repo, state);
      const left = await loadPage(repo, tables);
      return left.length === 0 ? null : { ...startState(left), mode: state.mode, note: 'saved' };
    },
  });
}

/** xterm: the alternate screen, from its upper left corner. */
const ENTER = '\x1b[?1049h\x1b[H';
const LEAVE = '\x1b[?1049l';

function toTerminal({ out }: Context, sequence: string): void {
  out.write(sequence);
  void out.flush();
}

async function loadPage(repo: Repository, tables: readonly string[]): Promise<Item[]> {
  const items: Item[] = [];
  const { state } = await requireMerge(repo);
  const named = tables.filter((name) => state.conflicts.some(({ table }) => table === name));
  if (state.conflicts.length === 0 || (tables.length > 0 && named.length === 0)) return items;
  for await (const batch of listConflicts(repo, { tables: named })) {
    items.push(...batch.slice(0, PAGE - items.length));
    if (items.length >= PAGE) break;
  }
  return items;
}

/** Everything decided, in one transaction. */
async function store(repo: Repository, { decisions }: ResolveState): Promise<void> {
  const id = (table: string, key: readonly string[]) => JSON.stringify([table, ...key]);
  const rows = new Map<string, Decision>();
  const wholes = new Map<string, Decision>();
  for (const [item, decision] of decisions) {
    if (item.kind === 'whole') wholes.set(item.table, decision);
    else rows.set(id(item.table, item.key), decision);
  }
  const resolver: Resolver = {
    rows: async (batch) =>
      batch.map((row) => {
        const decision = rows.get(id(row.table, row.key));
        return decision && resolutionOf(row, decision);
      }),
    whole: ({ table }) => {
      const choice = wholes.get(table)?.get(WHOLE);
      return choice?.kind === 'side' ? choice.side : undefined;
    },
  };
  await resolveConflicts(repo, undefined, undefined, resolver);
}

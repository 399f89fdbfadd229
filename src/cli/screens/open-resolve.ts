/** From a merge in progress to the resolve screen and back: what is listed, what is stored. */
import { DvError } from '../../errors.ts';
import { countConflicts } from '../../model/merge-state.ts';
import { listConflicts, pickConflicts, requireMerge } from '../../porcelain/conflicts.ts';
import type { Repository } from '../../porcelain/repository.ts';
import { type Resolver, resolveConflicts } from '../../porcelain/resolve.ts';
import type { Context } from '../context.ts';
import { formatNumber } from '../render/count.ts';
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
  const page = await loadPage(repo, tables);
  if (page.items.length === 0) {
    context.note('no conflicts are left; dv commit ends the merge');
    return;
  }
  // Ink is loaded only here: it would double the start of every other command.
  const { runResolveScreen } = await import('./resolve-screen.ts');
  await runResolveScreen(
    { ...startState(page.items), note: ofMore(page) },
    {
      title: `${merge.operation} of ${context.shownLine(merge.theirName)}`,
      color: context.color,
      shownLine: context.shownLine,
      enterScreen: () => toTerminal(context, ENTER),
      leaveScreen: () => toTerminal(context, LEAVE),
      save: async (state) => {
        if (state.decisions.size > 0) await store(repo, state);
        const left = await loadPage(repo, tables);
        if (left.items.length === 0) return null;
        return { ...startState(left.items), mode: state.mode, note: `saved${ofMore(left, '; ')}` };
      },
    },
  );
}

/** xterm: the alternate screen, from its upper left corner. */
const ENTER = '\x1b[?1049h\x1b[H';
const LEAVE = '\x1b[?1049l';

function toTerminal({ out }: Context, sequence: string): void {
  out.write(sequence);
  void out.flush();
}

interface Page {
  readonly items: readonly Item[];
  /** Conflicts in all, those of later pages too. */
  readonly total: number;
}

/** Where these are not all, so that nobody takes them for it. */
function ofMore({ items, total }: Page, before = ''): string {
  if (items.length >= total) return '';
  const [here, all] = [formatNumber(items.length), formatNumber(total)];
  return `${before}the first ${here} of ${all}: the others come when these are saved`;
}

async function loadPage(repo: Repository, tables: readonly string[]): Promise<Page> {
  const items: Item[] = [];
  const { state } = await requireMerge(repo);
  const named = tables.filter((name) => state.conflicts.some(({ table }) => table === name));
  const picked = tables.length === 0 ? state.conflicts : pickConflicts(state, named);
  const total = tables.length > 0 && named.length === 0 ? 0 : countConflicts(picked);
  if (total === 0) return { items, total };
  for await (const batch of listConflicts(repo, { tables: named })) {
    items.push(...batch.slice(0, PAGE - items.length));
    if (items.length >= PAGE) break;
  }
  return { items, total };
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

/**
 * What the resolve screen knows, and what each key makes of it: pure, so that it is tested
 * without a terminal. Decisions are kept until they are saved; each can be undone.
 */
import type { RowInConflict, RowResolution, WholeInConflict } from '../../porcelain/conflicts.ts';
import type { SideName } from '../../porcelain/resolve.ts';
import { takeSide } from '../../porcelain/resolve-choices.ts';
import { fits } from '../../tuple/cell-type.ts';
import type { Cell } from '../../tuple/schema.ts';

export type Item = RowInConflict | WholeInConflict;

/** What was chosen for a cell: a side's, or a text of the person's own. */
export type Choice =
  | { readonly kind: 'side'; readonly side: SideName }
  | { readonly kind: 'text'; readonly cell: Cell };

/** Of a conflict: by column, or under '' as a whole. */
export type Decision = ReadonlyMap<string, Choice>;

export const WHOLE = '';

export interface ResolveState {
  readonly items: readonly Item[];
  readonly decisions: ReadonlyMap<Item, Decision>;
  /** Earlier `decisions`, the latest last. */
  readonly past: readonly ReadonlyMap<Item, Decision>[];
  readonly mode: 'one' | 'list' | 'help';
  /** The conflict looked at, and of it the column. */
  readonly at: number;
  readonly column: number;
  /** What was chosen last, for "all alike". */
  readonly last: { readonly item: Item; readonly column: string; readonly choice: Choice } | null;
  /** The text being edited, and where in it the cursor is. */
  readonly edit: { readonly text: string; readonly cursor: number } | null;
  readonly note: string;
  /** What the screen has to do next. */
  readonly asks: 'save' | 'leave' | 'abandon' | null;
}

export function startState(items: readonly Item[]): ResolveState {
  return {
    items,
    decisions: new Map(),
    past: [],
    mode: 'one',
    at: 0,
    column: 0,
    last: null,
    edit: null,
    note: '',
    asks: null,
  };
}

/** A key as ink tells it. */
export interface Key {
  readonly input: string;
  readonly upArrow?: boolean;
  readonly downArrow?: boolean;
  readonly leftArrow?: boolean;
  readonly rightArrow?: boolean;
  readonly return?: boolean;
  readonly escape?: boolean;
  readonly tab?: boolean;
  readonly backspace?: boolean;
  readonly delete?: boolean;
  readonly ctrl?: boolean;
  readonly pageUp?: boolean;
  readonly pageDown?: boolean;
}

/** Columns that are to be decided; a row that goes as a whole, and a table, have one: ''. */
export function openColumns(item: Item): readonly string[] {
  if (item.kind === 'whole' || item.columns.length === 0) return [WHOLE];
  return item.columns;
}

export function isDecided(state: ResolveState, item: Item): boolean {
  const decision = state.decisions.get(item);
  if (decision === undefined) return false;
  return decision.has(WHOLE) || openColumns(item).every((name) => decision.has(name));
}

export const countOpen = (state: ResolveState): number =>
  state.items.filter((item) => !isDecided(state, item)).length;

/** Keys that came in one piece, as a fast hand or a paste gives them, one by one. */
export function pressKeys(state: ResolveState, key: Key): ResolveState {
  const inputs = [...key.input];
  if (inputs.length < 2) return pressKey(state, key);
  let next = state;
  for (const input of inputs) {
    if (next.asks !== null) break;
    next = pressKey(next, { input, return: input === '\r' });
  }
  return next;
}

export function pressKey(state: ResolveState, key: Key): ResolveState {
  if (key.ctrl && key.input === 'c') return { ...state, asks: 'abandon' };
  if (state.edit !== null) return pressInEdit(state, key);
  if (state.mode === 'help') return { ...state, mode: 'one', note: '' };
  return move({ ...state, note: '' }, key) ?? command({ ...state, note: '' }, key);
}

function move(state: ResolveState, key: Key): ResolveState | undefined {
  const { items, at, column, mode } = state;
  const to = (place: number): ResolveState => {
    return { ...state, at: Math.max(0, Math.min(items.length - 1, place)), column: 0 };
  };
  const isUp = key.upArrow || key.input === 'k';
  const isDown = key.downArrow || key.input === 'j';
  if (key.rightArrow || key.input === 'n') return to(at + 1);
  if (key.leftArrow || key.input === 'p') return to(at - 1);
  if (key.pageDown) return to(at + 10);
  if (key.pageUp) return to(at - 10);
  if (!isUp && !isDown) return undefined;
  const step = isUp ? -1 : 1;
  if (mode === 'list') return to(at + step);
  const columns = openColumns(items[at]).length;
  const next = column + step;
  return next < 0 || next >= columns ? to(at + step) : { ...state, column: next };
}

const SIDES: Readonly<Record<string, SideName>> = { o: 'ours', t: 'theirs', b: 'base' };

function command(state: ResolveState, key: Key): ResolveState {
  if (key.tab) return { ...state, mode: state.mode === 'list' ? 'one' : 'list' };
  if (key.return && state.mode === 'list') return { ...state, mode: 'one' };
  const side = SIDES[key.input.toLowerCase()];
  if (side !== undefined) {
    const isRow = state.mode === 'list' || key.input !== key.input.toLowerCase();
    return choose(state, { kind: 'side', side }, isRow);
  }
  switch (key.input) {
    case 'a':
      return applyToAlike(state);
    case 'e':
      return startEdit(state);
    case 'u':
      return undo(state);
    case 's':
      return { ...state, asks: 'save' };
    case 'q':
      return { ...state, asks: 'leave' };
    case '?':
      return { ...state, mode: 'help' };
    default:
      return state;
  }
}

/** Decides the column looked at, or the whole row, and goes on to the next that is open. */
function choose(state: ResolveState, choice: Choice, isRow: boolean): ResolveState {
  const item = state.items[state.at];
  const columns = openColumns(item);
  const column = columns[Math.min(state.column, columns.length - 1)];
  const picked = isRow ? columns : [column];
  const decided = withDecisions(state, [[item, picked]], choice);
  return goOn({ ...decided, last: { item, column, choice } });
}

function withDecisions(
  state: ResolveState,
  picked: readonly (readonly [Item, readonly string[]])[],
  choice: Choice,
): ResolveState {
  const decisions = new Map(state.decisions);
  for (const [item, columns] of picked) {
    const before = decisions.get(item) ?? new Map<string, Choice>();
    const after = new Map(before);
    for (const name of columns) after.set(name, choice);
    decisions.set(item, after);
  }
  return { ...state, decisions, past: [...state.past, state.decisions] };
}

function goOn(state: ResolveState): ResolveState {
  const { items, at, column } = state;
  const columns = openColumns(items[at]);
  const decision = state.decisions.get(items[at]);
  if (state.mode === 'one') {
    const next = columns.findIndex((name, i) => i > column && !decision?.has(name));
    if (next >= 0) return { ...state, column: next };
    const left = columns.findIndex((name) => !decision?.has(name));
    if (left >= 0 && !decision?.has(WHOLE)) return { ...state, column: left };
  }
  const ahead = items.findIndex((item, i) => i > at && !isDecided(state, item));
  const next = ahead >= 0 ? ahead : items.findIndex((item) => !isDecided(state, item));
  if (next < 0) return { ...state, note: 'all are decided: s saves, q saves and leaves' };
  return { ...state, at: next, column: 0 };
}

/** The last choice, for every open conflict of that table, kind and column. */
function applyToAlike(state: ResolveState): ResolveState {
  const { last } = state;
  if (last === null) return { ...state, note: 'choose once first; a does the same to all alike' };
  const kindOf = (item: Item) => (item.kind === 'whole' ? item.kind : item.conflict);
  const alike = state.items.filter(
    (item) =>
      item.table === last.item.table &&
      kindOf(item) === kindOf(last.item) &&
      openColumns(item).includes(last.column) &&
      !state.decisions.get(item)?.has(last.column),
  );
  if (alike.length === 0) return { ...state, note: 'no other is alike' };
  const picked = alike.map((item) => [item, [last.column]] as const);
  const decided = withDecisions(state, picked, last.choice);
  return goOn({ ...decided, note: `${alike.length} more decided alike` });
}

function undo(state: ResolveState): ResolveState {
  const decisions = state.past.at(-1);
  if (decisions === undefined) return { ...state, note: 'nothing to undo' };
  return { ...state, decisions, past: state.past.slice(0, -1), note: 'undone' };
}

function startEdit(state: ResolveState): ResolveState {
  const item = state.items[state.at];
  const column = openColumns(item)[state.column];
  if (item.kind === 'whole' || column === WHOLE) {
    return { ...state, note: 'only a cell can be edited: o, t and b take a side' };
  }
  const text = resultOf(state, item, column) ?? '';
  return { ...state, edit: { text, cursor: text.length } };
}

function pressInEdit(state: ResolveState, key: Key): ResolveState {
  const { text, cursor } = state.edit!;
  const edit = (next: string, at: number): ResolveState => {
    const cursor = Math.max(0, Math.min(next.length, at));
    return { ...state, edit: { text: next, cursor }, note: '' };
  };
  if (key.escape) return { ...state, edit: null, note: '' };
  if (key.return) return endEdit(state, text);
  if (key.leftArrow) return edit(text, cursor - 1);
  if (key.rightArrow) return edit(text, cursor + 1);
  if (key.upArrow || (key.ctrl && key.input === 'a')) return edit(text, 0);
  if (key.downArrow || (key.ctrl && key.input === 'e')) return edit(text, text.length);
  if (key.backspace || key.delete) {
    return edit(text.slice(0, Math.max(0, cursor - 1)) + text.slice(cursor), cursor - 1);
  }
  if (key.ctrl && key.input === 'u') return edit('', 0);
  if (key.ctrl || key.tab || key.input === '') return state;
  return edit(text.slice(0, cursor) + key.input + text.slice(cursor), cursor + key.input.length);
}

/** What is written must fit its column; nothing at all is null where no empty text fits. */
function endEdit(state: ResolveState, text: string): ResolveState {
  const item = state.items[state.at] as RowInConflict;
  const name = openColumns(item)[state.column];
  const { type } = item.schema.columns.find((column) => column.name === name)!;
  const cell = text === '' && !fits(type, text) ? null : text;
  if (cell !== null && !fits(type, cell)) return { ...state, note: `that is no ${type}` };
  return choose({ ...state, edit: null, note: '' }, { kind: 'text', cell }, false);
}

/** What a cell will be; undefined: not decided. */
export function resultOf(
  state: ResolveState,
  item: RowInConflict,
  column: string,
): Cell | undefined {
  const decision = state.decisions.get(item);
  const choice = decision?.get(column) ?? decision?.get(WHOLE);
  if (choice === undefined) return undefined;
  if (choice.kind === 'text') return choice.cell;
  const place = item.schema.columns.findIndex(({ name }) => name === column);
  return item.sides[choice.side]?.[place] ?? null;
}

/** A decision as the resolve verb takes it; undefined: nothing was decided. */
export function resolutionOf(item: RowInConflict, decision: Decision): RowResolution | undefined {
  const whole = decision.get(WHOLE);
  if (whole?.kind === 'side') return takeSide(item, whole.side);
  // Base of a row that both added: there was none, so the row goes.
  const choices = [...decision.values()];
  const isGone = (choice: Choice) => choice.kind === 'side' && item.sides[choice.side] === null;
  if (choices.length > 0 && choices.every(isGone)) return { whole: null };
  const cells = new Map<string, Cell>();
  for (const [name, choice] of decision) {
    const place = item.schema.columns.findIndex((column) => column.name === name);
    const cell = choice.kind === 'text' ? choice.cell : (item.sides[choice.side]?.[place] ?? null);
    cells.set(name, cell);
  }
  return cells.size === 0 ? undefined : { cells };
}

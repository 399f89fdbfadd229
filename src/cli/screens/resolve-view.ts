/**
 * The resolve screen as lines: pure, of exactly the window's size. Marks say everything that
 * colour says: `>` where one is, `*` a cell that clashes, `=` one that is decided.
 */
import type { Cell } from '../../tuple/schema.ts';
import { CONFLICT_WORDS, cellText, differingColumns, keyText } from '../render/conflict-text.ts';
import { cutText } from '../render/diff/shorten.ts';
import { displayWidth, pad } from '../render/width.ts';
import {
  countOpen,
  type Decision,
  type Item,
  isDecided,
  openColumns,
  type ResolveState,
  resultOf,
  WHOLE,
} from './resolve-model.ts';

export type LineRole = 'plain' | 'head' | 'dim' | 'clash' | 'decided' | 'here';

export interface Line {
  readonly text: string;
  readonly role: LineRole;
}

export interface Window {
  readonly width: number;
  readonly height: number;
  /** What is going on: `merge of fix`. */
  readonly title: string;
  readonly shownLine: (text: string) => string;
}

const GAP = '  ';
const SIDES = ['base', 'ours', 'theirs'] as const;
const KEYS_WIDE =
  'o ours  t theirs  b base  (O T B: the row)  e edit  a all alike  u undo  n/p next  Tab list  s save  q leave  ?';
const KEYS = 'o ours t theirs b base e edit a alike u undo n/p next Tab list s save q quit ?';

const line = (text: string, role: LineRole = 'plain'): Line => ({ text, role });

export function viewOf(state: ResolveState, window: Window): Line[] {
  const { width, height } = window;
  const head = [headOf(state, window), line('')];
  const keys = KEYS_WIDE.length <= width ? KEYS_WIDE : KEYS;
  const foot = [line(noteOf(state), 'here'), line(state.edit === null ? keys : EDIT_KEYS, 'dim')];
  const room = Math.max(1, height - head.length - foot.length);
  const body = bodyOf(state, window, room).slice(0, room);
  while (body.length < room) body.push(line(''));
  return [...head, ...body, ...foot].map(({ text, role }) => line(cutText(text, width), role));
}

const EDIT_KEYS = 'Enter takes it  Esc leaves it  Ctrl-U empties it';

function noteOf({ edit, note }: ResolveState): string {
  if (edit === null) return note;
  return `edit: ${edit.text.slice(0, edit.cursor)}▏${edit.text.slice(edit.cursor)}`;
}

function headOf(state: ResolveState, { title, shownLine, width }: Window): Line {
  const { items, at } = state;
  const place = `${at + 1} of ${items.length}, ${countOpen(state)} open`;
  const name = shownLine(items[at].table);
  const left = cutText(`dv resolve  ${name}  ${title}`, Math.max(10, width - place.length - 2));
  return line(`${pad(left, width - place.length)}${place}`, 'head');
}

function bodyOf(state: ResolveState, window: Window, room: number): Line[] {
  if (state.mode === 'help') return HELP.map((text) => line(text));
  return state.mode === 'list' ? listOf(state, window, room) : oneOf(state, window, room);
}

const HELP = [
  'One conflict at a time, or (Tab) as a list.',
  '',
  '  o t b      take ours, theirs or base for the cell; in a list for the row',
  '  O T B      for every cell of the row',
  '  e          write the cell yourself',
  '  a          the last choice, for all conflicts of that column and kind',
  '  u          undo',
  '  up, down   the next cell, or in a list the next conflict',
  '  n p        the next and the previous conflict',
  '  s          save what is decided',
  '  q          save, and leave; what is open stays, and can be decided later',
  '  Ctrl-C     leave, and forget what was not saved',
  '',
  '  *  a cell that clashes    =  one that is decided    >  where you are',
  '',
  'Any key goes back.',
];

function listOf(state: ResolveState, { shownLine }: Window, room: number): Line[] {
  const first = Math.max(0, Math.min(state.at - (room >> 1), state.items.length - room));
  return state.items.slice(first, first + room).map((item, i) => {
    const isHere = first + i === state.at;
    const mark = isDecided(state, item) ? '=' : '*';
    const text = `${isHere ? '>' : ' '} ${mark} ${summaryOf(state, item, shownLine)}`;
    return line(text, isHere ? 'here' : mark === '=' ? 'decided' : 'clash');
  });
}

function summaryOf(state: ResolveState, item: Item, shownLine: (text: string) => string): string {
  const table = shownLine(item.table);
  const decision = state.decisions.get(item);
  if (item.kind === 'whole') return `${table}: ${chosen(decision, WHOLE) ?? 'a side to choose'}`;
  const cells = openColumns(item).map((name) => {
    if (name === WHOLE) return chosen(decision, name) ?? CONFLICT_WORDS[item.conflict];
    const sides = [item.sides.ours, item.sides.theirs].map((row) => {
      const place = item.schema.columns.findIndex((column) => column.name === name);
      return cellText(row?.[place]);
    });
    const how = chosen(decision, name);
    return `${shownLine(name)}: ${sides.join(' | ')}${how === undefined ? '' : ` (${how})`}`;
  });
  return `${table} ${keyText(item, shownLine)}  ${cells.join(GAP)}`;
}

function chosen(decision: Decision | undefined, column: string): string | undefined {
  const choice = decision?.get(column) ?? decision?.get(WHOLE);
  if (choice === undefined) return undefined;
  return choice.kind === 'side' ? choice.side : 'edited';
}

function oneOf(state: ResolveState, window: Window, room: number): Line[] {
  const item = state.items[state.at];
  const { shownLine } = window;
  const decision = state.decisions.get(item);
  if (item.kind === 'whole') {
    const reasons =
      item.conflict.kind === 'table' ? item.conflict.reasons : ['both sides changed it'];
    const how = chosen(decision, WHOLE);
    return [
      line(shownLine(item.table), 'head'),
      ...reasons.map((reason) => line(`  ${shownLine(reason)}`)),
      line(''),
      line(how === undefined ? '> * take ours, theirs or base as a whole' : `> = ${how}`, 'here'),
    ];
  }
  const head = line(`${keyText(item, shownLine)}: ${CONFLICT_WORDS[item.conflict]}`, 'head');
  const how = item.columns.length === 0 ? (chosen(decision, WHOLE) ?? 'open') : undefined;
  const whole = how === undefined ? [] : [line(''), line(`> the row: ${how}`, 'here')];
  return [head, line(''), ...gridOf(state, window, room - 2 - whole.length), ...whole];
}

/** The columns that differ; the one looked at is always in the window. */
function gridOf(state: ResolveState, { width, shownLine }: Window, room: number): Line[] {
  const item = state.items[state.at];
  if (item.kind === 'whole') return [];
  const places = differingColumns(item);
  const names = places.map((i) => item.schema.columns[i].name);
  const nameWidth = Math.min(24, Math.max(...names.map((name) => displayWidth(shownLine(name)))));
  const cellWidth = Math.max(6, Math.floor((width - 4 - nameWidth) / 4) - GAP.length);
  const here = openColumns(item)[state.column];
  const cells = (texts: readonly string[]) =>
    texts.map((text) => pad(cutText(text, cellWidth), cellWidth)).join(GAP);
  const heads = [
    ...SIDES.map((side) => (item.sides[side] === null ? `${side} -` : side)),
    'result',
  ];
  const at = Math.max(0, names.indexOf(here));
  const most = Math.max(1, room - 1);
  const first = Math.max(0, Math.min(at - (most >> 1), places.length - most));
  const lines = places.slice(first, first + most).map((place, n) => {
    const name = names[first + n];
    const isClash = item.columns.includes(name);
    const result = isClash ? resultOf(state, item, name) : mergedCell(item.sides, place);
    const isDone = isClash && result !== undefined;
    const mark = isDone ? '=' : isClash ? '*' : ' ';
    const texts = SIDES.map((side) => cellText(item.sides[side]?.[place]));
    const shown = result === undefined ? '?' : cellText(result);
    const label = pad(cutText(shownLine(name), nameWidth), nameWidth);
    const text = `${name === here ? '>' : ' '} ${mark} ${label}${GAP}${cells([...texts, shown])}`;
    const role = name === here ? 'here' : isDone ? 'decided' : isClash ? 'clash' : 'dim';
    return line(text, role);
  });
  return [line(`    ${' '.repeat(nameWidth)}${GAP}${cells(heads)}`, 'dim'), ...lines];
}

function mergedCell(
  { base, ours, theirs }: Extract<Item, { kind: 'row' }>['sides'],
  place: number,
): Cell | undefined {
  if (ours === null || theirs === null) return undefined;
  return base !== null && ours[place] === base[place] ? theirs[place] : ours[place];
}

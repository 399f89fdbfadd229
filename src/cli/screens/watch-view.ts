/** The watch screen as lines: pure, of exactly the window's size. */
import type { CommitEvent, TableRowCounts } from '../../live/contract.ts';
import { shortRefName } from '../../model/names.ts';
import { cutText } from '../render/diff/shorten.ts';
import { displayWidth, pad } from '../render/width.ts';
import {
  type Arrival,
  chosenPlace,
  lagOf,
  rateOf,
  shownArrivals,
  type WatchState,
} from './watch-model.ts';

export type WatchRole =
  | 'plain'
  | 'head'
  | 'dim'
  | 'here'
  | 'added'
  | 'removed'
  | 'changed'
  | 'alarm';

export interface WatchSpan {
  readonly text: string;
  readonly role: WatchRole;
}

export type WatchLine = readonly WatchSpan[];

export interface WatchWindow {
  readonly width: number;
  readonly height: number;
  /** What is watched: `origin  main`. */
  readonly title: string;
  /** ms since the epoch. */
  readonly now: number;
  /** Minutes east of UTC. */
  readonly zone: number;
  readonly shownLine: (text: string) => string;
}

const GAP = '  ';
const KEYS = 'space pause  / filter  ↑↓ choose  enter rows  q quit  ? help';
const ROW_KEYS = '↑↓ PgUp PgDn scroll  q back';

export const HEAD_LINES = 3;
export const FOOT_LINES = 1;

/** Lines for the list or the rows in a window of this height. */
export function roomOf(height: number): number {
  return Math.max(1, height - HEAD_LINES - FOOT_LINES);
}

export function viewOf(state: WatchState, window: WatchWindow): WatchLine[] {
  const room = roomOf(window.height);
  const body = bodyOf(state, window, room).slice(0, room);
  while (body.length < room) body.push([plain('')]);
  const lines = [titleLine(state, window), factsLine(state, window), [plain('')], ...body];
  return [...lines, footOf(state)].map((line) => cutLine(line, window.width));
}

const plain = (text: string): WatchSpan => ({ text, role: 'plain' });

/** Cuts the span that passes the edge, and leaves out those behind it. */
function cutLine(line: WatchLine, width: number): WatchLine {
  const cut: WatchSpan[] = [];
  let left = width;
  for (const span of line) {
    if (left <= 0) break;
    const text = cutText(span.text, left);
    left -= displayWidth(text);
    cut.push({ ...span, text });
  }
  return cut;
}

function titleLine(state: WatchState, { title, shownLine, width, now }: WatchWindow): WatchLine {
  const { connection } = state;
  const status: WatchSpan =
    connection.kind === 'live'
      ? { text: `live (${connection.how})`, role: 'added' }
      : connection.kind === 'connecting'
        ? { text: 'connecting', role: 'dim' }
        : {
            text: `${waitText(connection.until - now)}: ${shownLine(connection.why)}`,
            role: 'alarm',
          };
  const right = cutText(status.text, Math.floor(width / 2));
  const room = width - displayWidth(right) - GAP.length;
  const left = pad(cutText(`dv watch  ${shownLine(title)}`, room), room);
  return [
    { text: `${left}${GAP}`, role: 'head' },
    { ...status, text: right },
  ];
}

function waitText(ms: number): string {
  return ms > 0 ? `again in ${Math.ceil(ms / 1000)} s` : 'connecting again';
}

function factsLine(state: WatchState, { now, shownLine }: WatchWindow): WatchLine {
  const lag = lagOf(state);
  const facts = [
    `${state.total.toLocaleString('en')} ${state.total === 1 ? 'commit' : 'commits'}`,
    `${rateOf(state, now).toFixed(1)}/s`,
    ...(lag === undefined ? [] : [`lag ${lagText(lag)}`]),
  ].join(GAP);
  const spans: WatchSpan[] = [{ text: facts, role: 'dim' }];
  if (state.filter !== '' && state.mode !== 'filter') {
    spans.push({ text: `${GAP}filter: ${shownLine(state.filter)}`, role: 'changed' });
  }
  if (state.paused !== null) {
    const waiting = state.arrivals.length - state.paused;
    spans.push({ text: `${GAP}paused, ${waiting} new`, role: 'alarm' });
  }
  return spans;
}

function lagText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

function footOf({ mode, filter }: WatchState): WatchLine {
  if (mode === 'filter')
    return [{ text: `/${filter}▏ enter keeps it, esc takes it away`, role: 'here' }];
  return [{ text: mode === 'rows' ? ROW_KEYS : KEYS, role: 'dim' }];
}

function bodyOf(state: WatchState, window: WatchWindow, room: number): WatchLine[] {
  if (state.mode === 'help') return HELP.map((text) => [plain(text)]);
  if (state.mode === 'rows') return rowsOf(state, window, room);
  return listOf(state, window, room);
}

const HELP = [
  'Commits as they arrive, the newest on top:',
  'time, branch, author, message, and rows per table: + added, - removed, ~ modified.',
  '',
  '  space      pause: what comes waits, and is counted; again: go on',
  '  /          only commits with this text in branch, author, message, hash or table',
  '  up, down   choose a commit (j, k; PgUp, PgDn); the top follows what comes',
  '  enter      the rows that the commit changed',
  '  esc        no filter, and back to the top',
  '  q, Ctrl-C  leave',
  '',
  'lag: how long ago the ref moved when its commit came here.',
  'Any key goes back.',
];

const TIME_WIDTH = 8;

function listOf(state: WatchState, window: WatchWindow, room: number): WatchLine[] {
  const list = shownArrivals(state);
  if (list.length === 0) {
    const none = state.filter === '' ? 'no commit has come yet' : 'no commit matches the filter';
    return [[{ text: none, role: 'dim' }]];
  }
  const place = chosenPlace(state, list);
  const first = Math.max(0, Math.min(place - (room >> 1), list.length - room));
  const lines = list.slice(first, first + room);
  const widths = columnWidths(lines, window);
  return lines.map((arrival, i) => commitLine(arrival, window, widths, first + i === place));
}

interface Widths {
  readonly branch: number;
  readonly author: number;
}

function columnWidths(lines: readonly Arrival[], { width, shownLine }: WatchWindow): Widths {
  const most = (texts: readonly string[], limit: number) =>
    Math.min(limit, Math.max(...texts.map((text) => displayWidth(shownLine(text)))));
  return {
    branch: most(
      lines.map(({ event }) => shortRefName(event.ref)),
      Math.floor(width / 5),
    ),
    author: most(
      lines.map(({ event }) => event.author.name),
      Math.floor(width / 6),
    ),
  };
}

function commitLine(
  { event }: Arrival,
  window: WatchWindow,
  widths: Widths,
  isHere: boolean,
): WatchLine {
  const { shownLine, width } = window;
  const fitted = (text: string, size: number) => pad(cutText(shownLine(text), size), size);
  const start = [
    clockText(event.time, window.zone),
    fitted(shortRefName(event.ref), widths.branch),
    fitted(event.author.name, widths.author),
  ].join(GAP);
  const counts = countSpans(event, shownLine);
  const taken =
    displayWidth(start) + 2 + counts.reduce((sum, { text }) => sum + displayWidth(text), 0);
  const room = Math.max(12, width - taken - GAP.length);
  const [subject] = event.message.split('\n');
  const mark: WatchSpan = { text: isHere ? '> ' : '  ', role: 'here' };
  const message = fitted(subject, room);
  return [mark, { text: `${start}${GAP}${message}`, role: isHere ? 'here' : 'plain' }, ...counts];
}

function clockText(ms: number, zone: number): string {
  return new Date(ms + zone * 60_000).toISOString().slice(11, 11 + TIME_WIDTH);
}

/** Two tables by name, the others as a number. */
function countSpans(
  { tables = [], skipped }: CommitEvent,
  shownLine: (text: string) => string,
): WatchSpan[] {
  const spans = tables.slice(0, 2).flatMap((counts) => tableSpans(counts, shownLine));
  if (tables.length > 2) spans.push({ text: `${GAP}and ${tables.length - 2} more`, role: 'dim' });
  if (skipped > 0) spans.push({ text: `${GAP}and ${skipped} before`, role: 'dim' });
  return spans;
}

function tableSpans(
  { table, added, removed, modified }: TableRowCounts,
  shownLine: (text: string) => string,
): WatchSpan[] {
  return [
    { text: `${GAP}${cutText(shownLine(table), 18)}`, role: 'dim' },
    ...(added > 0 ? [{ text: ` +${added}`, role: 'added' } as const] : []),
    ...(removed > 0 ? [{ text: ` -${removed}`, role: 'removed' } as const] : []),
    ...(modified > 0 ? [{ text: ` ~${modified}`, role: 'changed' } as const] : []),
  ];
}

const ROLE_OF_SIGN: Readonly<Record<string, WatchRole>> = {
  '+': 'added',
  '-': 'removed',
  '~': 'changed',
};

function rowsOf(
  { rows, chosen, scroll }: WatchState,
  { shownLine }: WatchWindow,
  room: number,
): WatchLine[] {
  const [subject] = (chosen?.message ?? '').split('\n');
  const head: WatchLine = [
    { text: `${chosen?.new.slice(0, 10) ?? ''}  ${shownLine(subject)}`, role: 'head' },
  ];
  if (rows === null) return [head, [{ text: 'reading', role: 'dim' }]];
  const lines = rows.slice(scroll, scroll + room - 1).map((text): WatchLine => {
    return [{ text, role: ROLE_OF_SIGN[text[0] ?? ''] ?? 'plain' }];
  });
  return [head, ...lines];
}

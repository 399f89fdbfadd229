/**
 * The watch screen's state, and what commits and keys make of it: pure. The newest commits
 * are kept, KEPT of them; older ones go, so it may stand open for weeks.
 */
import type { CommitEvent, FeedEvent } from '../../live/contract.ts';
import { shortRefName } from '../../model/names.ts';

export interface Arrival {
  readonly event: CommitEvent;
  /** ms since the epoch, when it came here. */
  readonly at: number;
}

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live'; readonly how: string }
  /** `until` in ms since the epoch. */
  | { readonly kind: 'waiting'; readonly why: string; readonly until: number };

export interface WatchState {
  /** Oldest first. */
  readonly arrivals: readonly Arrival[];
  readonly total: number;
  readonly connection: Connection;
  /** While paused: how many arrivals are shown; what came since waits. */
  readonly paused: number | null;
  readonly filter: string;
  readonly mode: 'list' | 'filter' | 'rows' | 'help';
  /** The commit that is looked at; null: always the newest. */
  readonly chosen: CommitEvent | null;
  /** A commit's row diff, as lines; null: on its way. */
  readonly rows: readonly string[] | null;
  readonly scroll: number;
  /** The next thing to do outside of this: show a commit's rows, leave. */
  readonly asks: 'rows' | 'quit' | null;
}

export const KEPT = 2000;
/** Commits of so many ms make the rate. */
const RATE_MS = 10_000;

export const START: WatchState = {
  arrivals: [],
  total: 0,
  connection: { kind: 'connecting' },
  paused: null,
  filter: '',
  mode: 'list',
  chosen: null,
  rows: null,
  scroll: 0,
  asks: null,
};

export function takeEvents(
  state: WatchState,
  events: readonly { readonly event: FeedEvent; readonly at: number }[],
): WatchState {
  const commits = events.filter((one): one is Arrival => one.event.type === 'commit');
  if (commits.length === 0) return state;
  const all = [...state.arrivals, ...commits];
  const dropped = Math.max(0, all.length - KEPT);
  const paused = state.paused === null ? null : Math.max(0, state.paused - dropped);
  return { ...state, arrivals: all.slice(dropped), total: state.total + commits.length, paused };
}

/** What the list has, newest first. */
export function shownArrivals({ arrivals, paused, filter }: WatchState): Arrival[] {
  const there = paused === null ? arrivals : arrivals.slice(0, paused);
  const wanted = filter.toLowerCase();
  const matching = wanted === '' ? there : there.filter(({ event }) => matches(event, wanted));
  return [...matching].reverse();
}

function matches({ ref, author, message, tables = [], new: hash }: CommitEvent, text: string) {
  const words = [shortRefName(ref), author.name, message, hash, ...tables.map((t) => t.table)];
  return words.some((word) => word.toLowerCase().includes(text));
}

/** Commits a second, over the last ten. */
export function rateOf({ arrivals }: WatchState, now: number): number {
  let count = 0;
  for (let i = arrivals.length - 1; i >= 0 && now - arrivals[i].at <= RATE_MS; i--) count++;
  if (count === 0) return 0;
  if (count < arrivals.length) return count / (RATE_MS / 1000);
  // Younger than that: over what there is, a second at least.
  return count / Math.max(1, (now - arrivals[0].at) / 1000);
}

/** ms from the change of the ref to here, of the last commit; undefined: none came yet. */
export function lagOf({ arrivals }: WatchState): number | undefined {
  const last = arrivals.at(-1);
  return last === undefined ? undefined : Math.max(0, last.at - last.event.time);
}

export interface Key {
  readonly input: string;
  readonly upArrow?: boolean;
  readonly downArrow?: boolean;
  readonly pageUp?: boolean;
  readonly pageDown?: boolean;
  readonly return?: boolean;
  readonly escape?: boolean;
  readonly backspace?: boolean;
  readonly delete?: boolean;
  readonly ctrl?: boolean;
}

/** Keys that come fast, or are pasted, come together: each is one. */
export function keysOf(key: Key): readonly Key[] {
  const typed = [...key.input];
  if (typed.length < 2) return [key];
  return typed.map((input) => ({ ...key, input, return: input === '\r' }));
}

/** `page`: lines that fit on the screen. */
export function pressKey(state: WatchState, key: Key, page: number): WatchState {
  if (key.ctrl === true && key.input === 'c') return { ...state, asks: 'quit' };
  if (state.mode === 'filter') return typeFilter(state, key);
  if (state.mode === 'help') return { ...state, mode: 'list' };
  if (state.mode === 'rows') return readRows(state, key, page);
  if (key.input === 'q') return { ...state, asks: 'quit' };
  if (key.input === '?') return { ...state, mode: 'help' };
  if (key.input === '/') return { ...state, mode: 'filter' };
  if (key.input === ' ') return pause(state);
  if (key.escape === true) return { ...state, filter: '', chosen: null };
  if (key.return === true) return openRows(state);
  const steps = stepsOf(key, page);
  return steps === 0 ? state : choose(state, steps);
}

function pause(state: WatchState): WatchState {
  if (state.paused !== null) return { ...state, paused: null, chosen: null };
  return { ...state, paused: state.arrivals.length };
}

function stepsOf(key: Key, page: number): number {
  if (key.upArrow === true || key.input === 'k') return -1;
  if (key.downArrow === true || key.input === 'j') return 1;
  if (key.pageUp === true) return -page;
  return key.pageDown === true ? page : 0;
}

/** The first line is wherever the newest is: who goes there follows again. */
function choose(state: WatchState, steps: number): WatchState {
  const list = shownArrivals(state);
  const to = Math.min(list.length - 1, Math.max(0, chosenPlace(state, list) + steps));
  return { ...state, chosen: to <= 0 ? null : list[to].event };
}

export function chosenPlace({ chosen }: WatchState, list: readonly Arrival[]): number {
  if (chosen === null) return 0;
  return Math.max(
    0,
    list.findIndex(({ event }) => event === chosen),
  );
}

function openRows(state: WatchState): WatchState {
  const list = shownArrivals(state);
  const event = list[chosenPlace(state, list)]?.event;
  if (event === undefined) return state;
  return { ...state, mode: 'rows', chosen: event, rows: null, scroll: 0, asks: 'rows' };
}

function readRows(state: WatchState, key: Key, page: number): WatchState {
  if (key.escape === true || key.input === 'q' || key.return === true) {
    return { ...state, mode: 'list', rows: null };
  }
  const last = Math.max(0, (state.rows?.length ?? 0) - page);
  const scroll = Math.min(last, Math.max(0, state.scroll + stepsOf(key, page)));
  return { ...state, scroll };
}

function typeFilter(state: WatchState, key: Key): WatchState {
  if (key.return === true) return { ...state, mode: 'list' };
  if (key.escape === true) return { ...state, mode: 'list', filter: '' };
  if (key.backspace === true || key.delete === true) {
    return { ...state, filter: [...state.filter].slice(0, -1).join('') };
  }
  if (key.ctrl === true || key.input === '') return state;
  return { ...state, filter: state.filter + key.input, chosen: null };
}

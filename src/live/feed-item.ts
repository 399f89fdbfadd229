/**
 * One ref change on its way to watchers. What is made of it (the event, row counts, bytes in
 * a wire form) is made when the first one wants it, once, and shared by all who follow.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { commitsBetween } from '../model/commits-between.ts';
import { peelToCommit, readCommit } from '../model/object-reader.ts';
import type { Commit } from '../model/objects.ts';
import { diffRoots, type EntryDifference } from '../model/root.ts';
import { countChanges, TooManyChanges } from '../model/table-stat.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { EMPTY_TREE } from '../prolly/node-writer.ts';
import type { FeedEntry } from '../store/contract.ts';
import type { CommitEvent, RefDeletedEvent, TableRowCounts } from './contract.ts';

/** Counting is given up beyond: tables of one event, rows of one table. */
const MOST_TABLES = 200;
const MOST_ROWS = 100_000;

export interface Conflated {
  readonly skipped?: number;
  readonly more?: boolean;
}

export class FeedItem {
  readonly entry: FeedEntry;
  /** The cursor to go on from when everything up to this was taken. */
  readonly id: string;
  /** Changes of the ref that this one stands for besides itself. */
  private readonly skipped: number;
  /** Others with this id follow. */
  private readonly more: boolean;
  private readonly nodes: NodeStore;
  private plain: Promise<CommitEvent | RefDeletedEvent | undefined> | undefined;
  private counted: Promise<CommitEvent | RefDeletedEvent | undefined> | undefined;
  private differences: Promise<readonly EntryDifference[]> | undefined;
  /** By tables, of a change of many commits that begins and ends with the same rows. */
  private readonly touched = new Map<string, Promise<boolean>>();
  private readonly forms = new Map<string, Promise<Uint8Array>>();

  constructor(nodes: NodeStore, id: string, entry: FeedEntry, conflated: Conflated = {}) {
    this.nodes = nodes;
    this.id = id;
    this.entry = entry;
    this.skipped = conflated.skipped ?? 0;
    this.more = conflated.more ?? false;
  }

  /** undefined: the commit is gone, and no ref reaches it any more. */
  event(counts = false): Promise<CommitEvent | RefDeletedEvent | undefined> {
    if (!counts) {
      this.plain ??= this.makeEvent();
      return this.plain;
    }
    this.counted ??= this.countEvent();
    return this.counted;
  }

  /**
   * Whether one of the tables is not what it was, or a commit in between changed it. Cost: of a
   * change of many commits, those up to the first that did.
   */
  async touches(tables: readonly string[]): Promise<boolean> {
    const { old, new: to } = this.entry;
    if (to === null) return true;
    const event = await this.event();
    if (event?.type !== 'commit') return false;
    if (isAmong(await this.entryDifferences(), tables)) return true;
    const isOne = event.parents.length === 1 && event.parents[0] === old;
    if (old === null || isOne) return false;
    const key = tables.join('\n');
    const known = this.touched.get(key);
    if (known !== undefined) return known;
    const found = this.hasTouchingCommit(old, to, tables);
    this.touched.set(key, found);
    found.catch(() => this.touched.delete(key)); // whoever asks next tries again
    return found;
  }

  private async hasTouchingCommit(
    old: Hash,
    to: Hash,
    tables: readonly string[],
  ): Promise<boolean> {
    try {
      for await (const { hash, parent } of commitsBetween(this.nodes.objects, old, to)) {
        if (isAmong(await changedEntries(this.nodes, parent, hash), tables)) return true;
      }
    } catch (error) {
      // The old head was thrown away since.
      if (!(error instanceof DvError) || error.code !== 'missing-object') throw error;
    }
    return false;
  }

  /** The bytes of a form, made by `make` the first time; told to `kept` with their size. */
  bytes(
    form: string,
    make: () => Promise<Uint8Array>,
    kept: (item: FeedItem, form: string, size: number) => void,
  ): Promise<Uint8Array> {
    const known = this.forms.get(form);
    if (known !== undefined) return known;
    const made = make();
    this.forms.set(form, made);
    made.then(
      (bytes) => kept(this, form, bytes.length),
      () => this.forms.delete(form),
    );
    return made;
  }

  /** To be made anew by whoever still wants it. */
  dropForm(form: string): void {
    this.forms.delete(form);
  }

  private async makeEvent(): Promise<CommitEvent | RefDeletedEvent | undefined> {
    const { name: ref, old, new: to, actor, time } = this.entry;
    const told = { actor, time, ...(this.more ? { more: true } : {}) };
    const { id } = this;
    if (to === null)
      return old === null ? undefined : { type: 'ref-deleted', id, ref, old, ...told };
    const commit = await this.readCommit(to);
    if (commit === undefined) return undefined;
    const facts = commitFacts(commit);
    return { type: 'commit', id, ref, old, new: to, ...told, ...facts, skipped: this.skipped };
  }

  private async countEvent(): Promise<CommitEvent | RefDeletedEvent | undefined> {
    const event = await this.event();
    if (event?.type !== 'commit') return event;
    const tables = await countTables(this.nodes, await this.entryDifferences());
    return tables === undefined ? event : { ...event, tables };
  }

  private entryDifferences(): Promise<readonly EntryDifference[]> {
    this.differences ??= this.findDifferences();
    return this.differences;
  }

  private async findDifferences(): Promise<readonly EntryDifference[]> {
    const { old, new: to } = this.entry;
    return changedEntries(this.nodes, old, to as Hash);
  }

  private async readCommit(hash: Hash): Promise<Commit | undefined> {
    try {
      return await readCommit(this.nodes.objects, await peelToCommit(this.nodes.objects, hash));
    } catch (error) {
      if (error instanceof DvError && error.code === 'missing-object') return undefined;
      throw error;
    }
  }
}

const isAmong = (changed: readonly EntryDifference[], tables: readonly string[]): boolean =>
  changed.some(({ name }) => tables.includes(name));

/** What an event tells of a commit. */
export function commitFacts(
  commit: Commit,
): Pick<CommitEvent, 'message' | 'author' | 'committed' | 'parents' | 'generation' | 'clock'> {
  const { message, author, committer, parents, generation, clock } = commit;
  const { name, email } = author;
  return {
    message,
    author: { name, email },
    committed: committer.time,
    parents,
    generation,
    clock,
  };
}

/** What differs between two refs' values; all of it where the older one is gone or null. */
export async function changedEntries(
  nodes: NodeStore,
  from: Hash | null,
  to: Hash,
): Promise<EntryDifference[]> {
  const { root } = await readCommit(nodes.objects, await peelToCommit(nodes.objects, to));
  return diffRoots(nodes, await rootOf(nodes, from), root);
}

async function rootOf(nodes: NodeStore, hash: Hash | null): Promise<Hash> {
  if (hash === null) return EMPTY_TREE;
  try {
    return (await readCommit(nodes.objects, await peelToCommit(nodes.objects, hash))).root;
  } catch (error) {
    if (error instanceof DvError && error.code === 'missing-object') return EMPTY_TREE;
    throw error;
  }
}

/** undefined: too dear. */
export async function countTables(
  nodes: NodeStore,
  differences: readonly EntryDifference[],
): Promise<TableRowCounts[] | undefined> {
  if (differences.length > MOST_TABLES) return undefined;
  const counts: TableRowCounts[] = [];
  for (const { name, from, to } of differences) {
    const [a, b] = [tableOf(from), tableOf(to)];
    if (a === b) continue;
    try {
      counts.push({ table: name, ...(await countChanges(nodes, a, b, MOST_ROWS)) });
    } catch (error) {
      if (error instanceof TooManyChanges) return undefined;
      throw error;
    }
  }
  return counts;
}

const tableOf = (entry: EntryDifference['from']): Hash | undefined =>
  entry?.kind === 'table' ? entry.table : undefined;

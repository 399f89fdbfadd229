/**
 * `dv table rules`: the merge rules of a table, shown and set. They are part of its schema, so
 * setting one stages the table; its rows, and its working file, stay as they are.
 */
import { DvError } from '../errors.ts';
import type { Hash } from '../hash.ts';
import { readSchema, readTable } from '../model/object-reader.ts';
import { encodeSchema, encodeTable, toChunk } from '../model/objects.ts';
import { splitTableRevision } from '../model/revision.ts';
import { type RootEntry, sameEntry } from '../model/root.ts';
import { stagedUpdate } from '../model/working-set.ts';
import type { StateUpdate } from '../store/contract.ts';
import {
  changeRules,
  checkRules,
  parseRules,
  type RuleChanges,
  rowRuleOf,
  ruleOf,
  sameRules,
  withRules,
} from '../tuple/merge-rules.ts';
import type { ColumnRule, ColumnType, RowRule, Schema } from '../tuple/schema.ts';
import { checkFile, fingerprintUpdate, readFingerprint } from './fingerprint.ts';
import { resolveEntry } from './inspect.ts';
import { pathOf, type Repository } from './repository.ts';
import { applyChanges, workingSet } from './staging.ts';

export interface RuledColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** What decides its cells; null for a column of the key, which no merge changes. */
  readonly rule: ColumnRule | null;
  /** The rule it was given itself. It is not in force where it no longer suits the type. */
  readonly own: ColumnRule | null;
}

export interface TableRules {
  readonly table: string;
  readonly columns: readonly RuledColumn[];
  /** The rule of columns without one of their own, where it suits them. */
  readonly others: ColumnRule | null;
  readonly rows: RowRule;
}

const ATTEMPTS = 20;

/** The rules of `TABLE` (as staged) or `REV:TABLE`. @throws DvError `unknown-table` */
export async function tableRules(repo: Repository, text: string): Promise<TableRules> {
  const { table, entry } = await resolveEntry(repo, text);
  return describe(table, await schemaOf(repo, tableHash(table, entry)));
}

/**
 * Changes rules as words such as `population=max`, `*=latest`, `rows=update-wins` or `name=none`
 * say, and stages the table.
 * @throws DvError `unknown-table`, `unknown-column`, `unknown-rule`, `rule-mismatch`,
 * `bad-option`, `ref-moved`
 */
export async function setTableRules(
  repo: Repository,
  text: string,
  assignments: readonly string[],
): Promise<TableRules> {
  if (splitTableRevision(text)[0] !== undefined || repo.asOf !== undefined) {
    throw new DvError('bad-option', `the rules of '${text}' are history`, {
      hint: 'rules are set on the table as it is staged',
    });
  }
  const changes = parseRules(assignments);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const set = await workingSet(repo);
    const { table, entry } = await resolveEntry(repo, text);
    const before = await schemaOf(repo, tableHash(table, entry));
    checkChanges(before, changes);
    const after = await giveRules(repo, entry, changes);
    const print = await renewedPrint(repo, table, entry, after, changes);
    const root = await applyChanges(repo, set.staged, new Map([[table, after]]));
    const state = [stagedUpdate(set, root), ...print];
    if ((await repo.store.transact({ state })).done) {
      return describe(table, await schemaOf(repo, tableHash(table, after)));
    }
  }
  throw new DvError('ref-moved', 'other commands kept staging at the same time', {
    hint: 'try again',
  });
}

/** Only what is asked for: a rule that fell out with its column's type is no obstacle. */
function checkChanges(schema: Schema, changes: RuleChanges): void {
  const names = new Set(schema.columns.map(({ name }) => name));
  const asked = [...changes.columns].filter(([name, rule]) => rule !== null || !names.has(name));
  const columns = asked.map(([name, rule]) => [name, rule ?? 'conflict'] as const);
  const { others } = changes;
  checkRules(schema, {
    columns: Object.fromEntries(columns),
    ...(others === undefined || others === null ? {} : { others }),
  });
}

/** The same rows under a schema with the changed rules. */
async function giveRules(
  { store, nodes }: Repository,
  entry: RootEntry,
  changes: RuleChanges,
): Promise<RootEntry> {
  if (entry.kind !== 'table') return entry;
  const { schema: hash, tree } = await readTable(store, entry.table);
  const schema = await readSchema(store, hash);
  const changed = withRules(schema, changeRules(schema.rules, changes));
  if (sameRules(schema.rules, changed.rules)) return entry;
  const schemaChunk = toChunk(encodeSchema(changed));
  const table = toChunk(encodeTable({ schema: schemaChunk.hash, tree }), entry.table);
  nodes.put(schemaChunk);
  nodes.put(table);
  await nodes.flush();
  return { ...entry, table: table.hash };
}

/** The working file holds the same rows as before, under the new rules too. */
async function renewedPrint(
  repo: Repository,
  name: string,
  before: RootEntry,
  after: RootEntry,
  changes: RuleChanges,
): Promise<StateUpdate[]> {
  const print = await readFingerprint(repo.store, name);
  const state = checkFile(pathOf(repo, name), print, repo.env.now());
  if (state.kind !== 'known') return [];
  const known = state.print.entry;
  const entry = sameEntry(known, before) ? after : await giveRules(repo, known, changes);
  return [fingerprintUpdate(name, { ...state.print, entry })];
}

async function schemaOf({ store }: Repository, table: Hash): Promise<Schema> {
  return readSchema(store, (await readTable(store, table)).schema);
}

function tableHash(name: string, entry: RootEntry): Hash {
  if (entry.kind === 'table') return entry.table;
  throw new DvError('unknown-table', `'${name}' is a plain file: it has no rows to merge`, {
    data: { table: name },
  });
}

function describe(table: string, schema: Schema): TableRules {
  const { rules, key } = schema;
  const own = new Map(Object.entries(rules?.columns ?? {}));
  const columns = schema.columns.map(({ name, type }, i) => ({
    name,
    type,
    rule: key.includes(i) || key.length === 0 ? null : ruleOf(schema, name),
    own: own.get(name) ?? null,
  }));
  return { table, columns, others: rules?.others ?? null, rows: rowRuleOf(schema) };
}

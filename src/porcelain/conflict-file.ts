/**
 * Conflicts in a CSV file that a spreadsheet opens, and back. Each conflict is four lines:
 * `base`, `ours` and `theirs` to look at, and `resolved` to fill in, with the clashing cells
 * left empty and marked in `conflict`.
 *
 *     table,conflict,side,take,id,name,population
 *     cities.csv,population,base,,42,Bern,10
 *     cities.csv,population,ours,,42,Bern,12
 *     cities.csv,population,theirs,,42,Bern,13
 *     cities.csv,population,resolved,,42,Bern,
 *
 * Coming back, a `resolved` line settles the clashing cells that have something in it; one
 * that is as it went out is left alone. A word of its own takes a side as a
 * whole: `ours`, `theirs` or `base` in the column `take`. Tables with other columns follow one
 * another under headers of their own, a blank line between.
 */
import { DvError } from '../errors.ts';
import { parseRecords, type TextRecord } from '../formats/csv-text.ts';
import type { Cell, Row } from '../tuple/schema.ts';
import {
  type ConflictFilter,
  listConflicts,
  type RowInConflict,
  type RowResolution,
  type WholeInConflict,
} from './conflicts.ts';
import type { Repository } from './repository.ts';
import { checkValues, type ResolveResult, resolveConflicts, type SideName } from './resolve.ts';
import { takeSide } from './resolve-choices.ts';

/** Columns that stand before the table's own. */
const LEADING = ['table', 'conflict', 'side', 'take'] as const;
const SIDES = ['base', 'ours', 'theirs'] as const;

/**
 * The file, in pieces; `onItem` hears of each conflict. Tables and plain files that are decided as
 * a whole are not in it.
 * @throws DvError `no-merge`, `no-such-conflict`, `bad-condition`
 */
export async function* exportConflicts(
  repo: Repository,
  filter: ConflictFilter = {},
  onItem: (item: RowInConflict | WholeInConflict) => void = () => {},
): AsyncGenerator<string> {
  let table: string | undefined;
  for await (const batch of listConflicts(repo, filter)) {
    for (const item of batch) {
      onItem(item);
      if (item.kind === 'whole') continue;
      if (item.table !== table) {
        yield `${table === undefined ? '' : '\n'}${record([...LEADING, ...item.schema.columns.map(({ name }) => name)])}`;
      }
      table = item.table;
      yield linesOf(item);
    }
  }
}

function linesOf(item: RowInConflict): string {
  const { table, columns, sides, conflict } = item;
  const what = columns.length > 0 ? columns.join(' ') : conflict;
  const present = SIDES.filter((side) => sides[side] !== null);
  const context = present.map((side) => record([table, what, side, null, ...sides[side]!]));
  return context.join('') + record([table, what, 'resolved', null, ...proposal(item)]);
}

/** The merged row, with the cells that clash left out. */
function proposal({ schema, sides, columns }: RowInConflict): Row {
  const { base, ours, theirs } = sides;
  if (ours === null || theirs === null) return (ours ?? theirs)!;
  return ours.map((cell, i) => {
    if (columns.includes(schema.columns[i].name)) return null;
    return base !== null && cell === base[i] ? theirs[i] : cell;
  });
}

function record(cells: readonly Cell[]): string {
  const quote = (cell: Cell): string => {
    if (cell === null) return '';
    const isPlain = cell !== '' && !/[",\r\n]/.test(cell) && cell.trim() === cell;
    return isPlain ? cell : `"${cell.replaceAll('"', '""')}"`;
  };
  return `${cells.map(quote).join(',')}\n`;
}

/** What the file says of one conflict. */
interface Filled {
  readonly line: number;
  readonly take: SideName | undefined;
  /** By column name, as filled in. */
  readonly cells: ReadonlyMap<string, Cell>;
  met: boolean;
}

/**
 * Settles the conflicts that the file fills in: all that it says, or nothing.
 * @throws DvError `bad-resolution` with file and line, `no-such-conflict`, `type-mismatch`, ...
 */
export async function resolveFromFile(
  repo: Repository,
  text: string,
  file: string,
): Promise<ResolveResult> {
  const filled = readFilled(text, file);
  const at = (table: string, key: readonly string[]) => JSON.stringify([table, ...key]);
  const byKey = new Map<string, Filled>();
  return resolveConflicts(
    repo,
    undefined,
    undefined,
    {
      rows: async (batch) => {
        for (const row of batch.slice(0, 1)) index(row, filled, byKey, at, file);
        return batch.map((row) => settle(row, byKey.get(at(row.table, row.key)), file));
      },
      whole: () => undefined,
    },
    () => {
      for (const lines of filled.values()) {
        for (const line of lines) if (!line.met && says(line)) throw stranger(line, file);
      }
    },
  );
}

const says = ({ take, cells }: Filled): boolean => take !== undefined || cells.size > 0;

function stranger({ line }: Filled, file: string): DvError {
  return new DvError('no-such-conflict', `line ${line} of '${file}' names no conflict`, {
    hint: 'nothing was changed; dv conflicts --export writes the file anew',
    data: { file, line },
  });
}

/** Lines of a table by key, once its schema is known. */
function index(
  { table, schema }: RowInConflict,
  filled: ReadonlyMap<string, Filled[]>,
  byKey: Map<string, Filled>,
  at: (table: string, key: readonly string[]) => string,
  file: string,
): void {
  const names = schema.key.map((place) => schema.columns[place].name);
  for (const line of filled.get(table) ?? []) {
    const key = names.map((name) => line.cells.get(name) ?? '');
    const id = at(table, key);
    const other = byKey.get(id);
    if (other !== undefined && other !== line) {
      throw new DvError(
        'bad-resolution',
        `lines ${other.line} and ${line.line} of '${file}' resolve one conflict`,
        {
          hint: 'nothing was changed',
          data: { file, line: line.line },
        },
      );
    }
    byKey.set(id, line);
  }
}

function settle(
  row: RowInConflict,
  line: Filled | undefined,
  file: string,
): RowResolution | undefined {
  if (line === undefined) return undefined;
  line.met = true;
  if (line.take !== undefined) return takeSide(row, line.take);
  const { schema } = row;
  const isOwn = (name: string) => schema.columns.some((column) => column.name === name);
  for (const name of line.cells.keys()) {
    if (isOwn(name)) continue;
    throw new DvError(
      'bad-resolution',
      `line ${line.line} of '${file}' has a column "${name}" that '${row.table}' has not`,
      {
        hint: 'nothing was changed',
        data: { file, line: line.line, name },
      },
    );
  }
  const proposed = proposal(row);
  const isSaid = (name: string, cell: Cell): boolean => {
    const place = schema.columns.findIndex((column) => column.name === name);
    if (schema.key.includes(place)) return false;
    // A spreadsheet writes an empty text as nothing.
    if (row.columns.includes(name)) return cell !== null;
    return (cell ?? '') !== (proposed[place] ?? '');
  };
  const cells = new Map([...line.cells].filter(([name, cell]) => isSaid(name, cell)));
  if (!row.columns.some((name) => cells.has(name))) return undefined;
  checkFilled(row, cells, line, file);
  return { cells };
}

function checkFilled(
  row: RowInConflict,
  cells: ReadonlyMap<string, Cell>,
  line: Filled,
  file: string,
): void {
  try {
    checkValues(row.schema, cells);
  } catch (error) {
    if (!(error instanceof DvError)) throw error;
    throw new DvError(error.code, `line ${line.line} of '${file}': ${error.message}`, {
      hint: 'nothing was changed',
      data: { ...error.data, file, line: line.line },
      cause: error,
    });
  }
}

/** The `resolved` lines by table. @throws DvError `bad-resolution`, `bad-quote`, ... */
function readFilled(text: string, file: string): Map<string, Filled[]> {
  const filled = new Map<string, Filled[]>();
  let header: readonly string[] | undefined;
  for (const line of parseRecords(text, file)) {
    if (line.cells.every((cell) => cell === null)) header = undefined;
    else if (header === undefined) header = readHeader(line, file);
    else {
      const [table, , side] = LEADING.map((name) => cellAt(header!, line, name));
      if (table === null || side === null || ![...SIDES, 'resolved'].includes(side)) {
        throw nonsense(line, file, side === null ? 'has no side' : `has the side "${side}"`);
      }
      if (side === 'resolved') {
        filled.set(table, [...(filled.get(table) ?? []), filledOf(header, line, file)]);
      }
    }
  }
  if (filled.size > 0) return filled;
  throw new DvError('bad-resolution', `'${file}' has no line whose side is "resolved"`, {
    hint: 'nothing was changed; dv conflicts --export writes the file anew',
    data: { file },
  });
}

function cellAt(header: readonly string[], { cells }: TextRecord, name: string): Cell {
  return cells[header.indexOf(name)] ?? null;
}

function readHeader(line: TextRecord, file: string): readonly string[] {
  const names = line.cells.map((cell) => cell ?? '');
  for (const [i, name] of LEADING.entries()) {
    if (names[i] !== name) throw nonsense(line, file, `has no "${name}" as column ${i + 1}`);
  }
  return names;
}

function filledOf(header: readonly string[], line: TextRecord, file: string): Filled {
  if (line.cells.length > header.length) {
    throw nonsense(line, file, `has ${line.cells.length} cells, its header ${header.length}`);
  }
  const take = cellAt(header, line, 'take');
  if (take !== null && !SIDES.includes(take as SideName)) {
    throw nonsense(line, file, `takes "${take}", which is no side`);
  }
  const own = header
    .slice(LEADING.length)
    .map((name) => [name, cellAt(header, line, name)] as const);
  return {
    line: line.line,
    take: (take ?? undefined) as SideName | undefined,
    cells: new Map(own),
    met: false,
  };
}

function nonsense({ line }: TextRecord, file: string, why: string): DvError {
  return new DvError('bad-resolution', `line ${line} of '${file}' ${why}`, {
    hint: 'nothing was changed; dv conflicts --export writes the file anew',
    data: { file, line },
  });
}

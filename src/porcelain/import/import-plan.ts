/**
 * What a pass over a file takes as given: which column is the key and how its cells order,
 * what the user fixed, what an earlier version of the table remembers. A pass that finds
 * the plan wrong asks for another with a better one; every replan only widens, so it ends.
 */
import { DvError } from '../../errors.ts';
import type { Dialect } from '../../formats/contract.ts';
import type { ColumnType, Schema } from '../../tuple/schema.ts';

export interface ImportOptions {
  /** Known of the dialect from the command line. */
  readonly dialect?: Partial<Dialect>;
  /** Key columns by name; an empty list asks for a keyless table. */
  readonly key?: readonly string[];
  readonly types?: ReadonlyMap<string, ColumnType>;
}

/** The version of the table that this import replaces. */
export interface PriorTable {
  readonly schema: Schema;
  readonly dialect: Partial<Dialect> | undefined;
}

export interface ImportPlan {
  /** Key columns by name, or how to choose one. */
  readonly key:
    | { readonly kind: 'named'; readonly names: readonly string[]; readonly reason: string }
    /** Try the candidates from index `next` on. */
    | { readonly kind: 'choose'; readonly next: number };
  /** Types that hold whatever the cells say: given, or learnt by an earlier pass. */
  readonly keyTypes: ReadonlyMap<string, ColumnType>;
  readonly rawJson: ReadonlySet<string>;
}

export function firstPlan(options: ImportOptions, prior: PriorTable | undefined): ImportPlan {
  const base = { keyTypes: new Map<string, ColumnType>(), rawJson: new Set<string>() };
  if (options.key !== undefined) {
    return { ...base, key: { kind: 'named', names: options.key, reason: 'given' } };
  }
  if (prior !== undefined) {
    const names = prior.schema.key.map((i) => prior.schema.columns[i].name);
    return { ...base, key: { kind: 'named', names, reason: 'remembered' } };
  }
  return { ...base, key: { kind: 'choose', next: 0 } };
}

/** Indices of key columns by name. @throws DvError `unknown-column`, `column-vanished` */
export function keyIndices(
  names: readonly string[],
  columns: readonly string[],
  file: string,
  remembered: boolean,
): number[] {
  return names.map((name) => {
    const index = columns.indexOf(name);
    if (index >= 0) return index;
    const data = { file, name, columns };
    if (remembered) {
      throw new DvError('column-vanished', `'${file}' no longer has its key column "${name}"`, {
        hint: `its columns are ${listed(columns)}; --key names another key`,
        data,
      });
    }
    throw new DvError('unknown-column', `'${file}' has no column "${name}"`, {
      hint: `its columns are ${listed(columns)}`,
      data,
    });
  });
}

function listed(columns: readonly string[]): string {
  const shown = columns.slice(0, 12).join(', ');
  return columns.length > 12 ? `${shown}, ... (${columns.length} in all)` : shown;
}

/**
 * The rows behind a conflict: what each side has under its key, in the merged table's columns.
 */
import type { Hash } from '../hash.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { getEntry } from '../prolly/scan.ts';
import { fits } from '../tuple/cell-type.ts';
import { decodeKey, encodeKey } from '../tuple/key-codec.ts';
import type { Row, Schema } from '../tuple/schema.ts';
import type { TableSide } from './merge-renames.ts';
import { type AlignedTables, alignTables } from './merge-table.ts';
import type { Sides } from './merge-types.ts';
import { relayRow } from './relay.ts';
import { loadRow } from './table-diff.ts';

export class ConflictRows {
  /** The merged table's, as the merge made it. */
  readonly schema: Schema;
  readonly #nodes: NodeStore;
  readonly #aligned: AlignedTables;

  private constructor(nodes: NodeStore, aligned: AlignedTables) {
    this.#nodes = nodes;
    this.#aligned = aligned;
    this.schema = aligned.merged.schema;
  }

  /** `sides`: of `RowConflicts`. Cost: three schemas. */
  static async open(nodes: NodeStore, sides: Sides<Hash | null>): Promise<ConflictRows> {
    return new ConflictRows(nodes, await alignTables(nodes, sides));
  }

  /** The cells of a key of the merged table, in key order. @throws DvError `corrupt` */
  keyCells(key: Uint8Array): string[] {
    return decodeKey(key, keyTypes(this.schema));
  }

  /** null: absent on that side. Cost: a path a side. */
  async read(key: Uint8Array): Promise<Sides<Row | null>> {
    return {
      base: await this.#readSide('base', key),
      ours: await this.#readSide('ours', key),
      theirs: await this.#readSide('theirs', key),
    };
  }

  async #readSide(name: keyof Sides<unknown>, key: Uint8Array): Promise<Row | null> {
    const { sides, merged } = this.#aligned;
    const side = sides[name];
    const own = this.#keyOn(side, key);
    const value = own && (await getEntry(this.#nodes, side.table.tree, own));
    if (own === undefined || value === undefined) return null;
    const row = await loadRow(this.#nodes, side.schema, own, value);
    return relayRow(row, { schema: merged.schema, places: merged.places[name] });
  }

  /** The key as a side encodes it; undefined where its types cannot hold it. */
  #keyOn({ schema }: TableSide, key: Uint8Array): Uint8Array | undefined {
    const types = keyTypes(schema);
    if (types.join() === keyTypes(this.schema).join()) return key;
    const cells = this.keyCells(key);
    const isHeld = types.length === cells.length && cells.every((cell, i) => fits(types[i], cell));
    return isHeld ? encodeKey(cells, types) : undefined;
  }
}

const keyTypes = (schema: Schema) => schema.key.map((i) => schema.columns[i].type);

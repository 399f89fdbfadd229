/**
 * A file into a table: read, infer, encode, build, in one streaming pass where all goes
 * well. Rows in key order go straight into the tree builder; others go through a sorter in
 * bounded memory and into the finished tree as edits. A pass that finds its plan wrong (a
 * key cell that does not fit its type, a candidate key that is not unique) replans and
 * starts again.
 */
import { ByteWriter } from '../../bytes.ts';
import type { ByteSource, Dialect, Format, TableReader } from '../../formats/contract.ts';
import type { Hash } from '../../hash.ts';
import { buildBlob } from '../../model/blob.ts';
import { encodeSchema, encodeTable, toChunk } from '../../model/objects.ts';
import { BaseMatcher } from '../../prolly/base-matcher.ts';
import { TreeBuilder } from '../../prolly/builder.ts';
import { editTree } from '../../prolly/edit.ts';
import { mergeBuild } from '../../prolly/merge-build.ts';
import type { NodeStore } from '../../prolly/node-store.ts';
import { countRows } from '../../prolly/scan.ts';
import { MAX_CHUNK_BYTES } from '../../store/contract.ts';
import { joinTypes, narrowestType } from '../../tuple/cell-type.ts';
import { type ColumnInference, TypeInference, type Widening } from '../../tuple/infer.ts';
import { keyCandidates, UniqueSample } from '../../tuple/key-choice.ts';
import { withRules } from '../../tuple/merge-rules.ts';
import type { RowBatch } from '../../tuple/row-batch.ts';
import { RowEncoder, type RowProblem, rowError } from '../../tuple/row-encoder.ts';
import type { ColumnType, Schema } from '../../tuple/schema.ts';
import { findDuplicate } from './duplicate-key.ts';
import { duplicateKey, namesTooLong, typeMismatch } from './import-errors.ts';
import {
  firstPlan,
  type ImportOptions,
  type ImportPlan,
  keyIndices,
  type PriorTable,
} from './import-plan.ts';
import { combineEqual, dropRepeated } from './sorted-entries.ts';
import { Sorter } from './sorter.ts';

export interface ImportInput {
  readonly nodes: NodeStore;
  readonly format: Format;
  readonly source: ByteSource;
  /** Name of the table, for messages and for the choice of a key. */
  readonly table: string;
  readonly prior: (PriorTable & { readonly tree: Hash; readonly table: Hash }) | undefined;
  readonly options: ImportOptions;
  /** Where the sorter may spill. */
  readonly scratch: () => string;
}

export interface ImportedTable {
  readonly table: Hash;
  readonly schema: Schema;
  readonly dialect: Dialect;
  readonly rows: number;
  /** Why each column has its type, in column order. */
  readonly columns: readonly ColumnInference[];
  /** Why this key: a sentence. */
  readonly keyReason: string;
  /** Remembered types that had to give way. */
  readonly widenings: readonly Widening[];
}

/** A pass either ends or says with which plan to start again. */
type PassResult =
  | { readonly done: true; readonly imported: ImportedTable }
  | { readonly done: false; readonly plan: ImportPlan };

/**
 * Reads a table into the store; nothing refers to it yet.
 * @throws DvError for everything a file can have wrong, with file, line and column
 */
export async function importTable(input: ImportInput): Promise<ImportedTable> {
  let plan = firstPlan(input.options, input.prior);
  for (;;) {
    const pass = new ImportPass(input, plan);
    try {
      const result = await pass.run();
      if (result.done) return result.imported;
      plan = result.plan;
    } finally {
      pass.close();
    }
  }
}

/** Up to this share of rows out of order, editing the tree beats building it anew. */
const FEW = 0.05;

class ImportPass {
  private readonly input: ImportInput;
  private readonly plan: ImportPlan;
  private readonly sorter: Sorter;
  private readonly builder: TreeBuilder;
  private readonly out = new ByteWriter(64 * 1024);
  private reader!: TableReader;
  private inference!: TypeInference;
  private schema!: Schema;
  private encoder!: RowEncoder;
  /** Columns of the batch that the encoder reads. */
  private present = 0;
  /** Which of the candidates for a key is tried. */
  private candidate: number;
  private keyReason = '';
  private rows = 0;

  constructor(input: ImportInput, plan: ImportPlan) {
    this.input = input;
    this.plan = plan;
    this.sorter = new Sorter(input.scratch);
    this.builder = this.newBuilder();
    this.candidate = plan.key.kind === 'choose' ? plan.key.next : 0;
  }

  private newBuilder(): TreeBuilder {
    const { prior, nodes } = this.input;
    return new TreeBuilder(
      nodes,
      prior === undefined ? undefined : (level) => new BaseMatcher(nodes, prior.tree, level),
    );
  }

  close(): void {
    this.sorter.close();
  }

  async run(): Promise<PassResult> {
    this.reader = await this.openReader();
    this.inference = this.newInference(await this.rememberedTypes());
    for await (const batch of this.reader.batches()) {
      this.inference.observe(batch);
      this.openSchema(batch);
      const problem = this.encodeBatch(batch);
      if (problem !== undefined) return { done: false, plan: this.replan(problem, batch) };
      if (this.builder.full) await this.builder.flush();
    }
    if (this.schema === undefined) this.openSchema();
    return this.finish();
  }

  private openReader(): Promise<TableReader> {
    const { format, source, options, prior } = this.input;
    const dialect = { ...rememberedDialect(prior?.dialect), ...options.dialect };
    return format.openReader(source, { dialect, rawJson: this.plan.rawJson });
  }

  /** In a table that had no rows, text says only that nothing was known of a column. */
  private async rememberedTypes(): Promise<ReadonlyMap<string, ColumnType>> {
    const { prior, nodes } = this.input;
    if (prior === undefined) return new Map();
    const wasEmpty = (await countRows(nodes, prior.tree)) === 0;
    const known = prior.schema.columns.filter(({ type }) => !wasEmpty || type !== 'text');
    return new Map(known.map(({ name, type }) => [name, type]));
  }

  /** Types start from what is remembered; given ones hold. */
  private newInference(remembered: ReadonlyMap<string, ColumnType>): TypeInference {
    const { options } = this.input;
    return new TypeInference((column) => {
      const name = this.reader.columns[column];
      const given = options.types?.get(name);
      return given === undefined
        ? { initial: remembered.get(name) }
        : { initial: given, fixed: true };
    });
  }

  /**
   * Fixes schema and encoder once the first batch is known, and again when columns appear.
   * A reader may know of columns already that the batch, read before, does not have.
   */
  private openSchema(batch?: RowBatch): void {
    const names = this.reader.columns;
    const present = batch?.columns ?? names.length;
    if (this.schema?.columns.length === names.length && this.present === present) return;
    const before = this.schema;
    const key = before?.key ?? this.chooseKey(names, batch);
    const inferred = this.inference.result(names.length);
    const columns = names.map((name, i) => ({ name, type: inferred[i]?.type ?? 'text' }));
    // The key stays what the rows so far were encoded by: `finish` sees whether that held.
    for (const i of key) {
      columns[i].type = before?.columns[i].type ?? this.keyType(names[i], columns[i].type, i);
    }
    this.schema = { columns, key };
    this.present = present;
    const put = (bytes: Uint8Array): Hash =>
      buildBlob(bytes, (chunk) => this.input.nodes.put(chunk));
    const sources = names.map((_, i) => (i < present ? i : -1));
    this.encoder = new RowEncoder(this.schema, sources, put);
  }

  private keyType(name: string, inferred: ColumnType, index: number): ColumnType {
    const learnt = this.plan.keyTypes.get(name);
    if (learnt !== undefined) return learnt;
    return this.reader.declaredTypes[index] ?? inferred;
  }

  private chooseKey(names: readonly string[], batch: RowBatch | undefined): number[] {
    const { key } = this.plan;
    if (key.kind === 'named') {
      this.keyReason = key.reason;
      const remembered = key.reason === 'remembered';
      return keyIndices(key.names, names, this.input.source.name, remembered);
    }
    const candidates = keyCandidates(this.input.table, [...names]);
    const present = batch?.columns ?? names.length;
    const sample = new UniqueSample(candidates.filter((column) => column < present));
    if (batch !== undefined) sample.observe(batch);
    const absent = candidates.filter((column) => column >= present);
    const hopeless = new Set([...absent, ...sample.objections.map(({ column }) => column)]);
    while (hopeless.has(candidates[this.candidate])) this.candidate += 1;
    const chosen = candidates[this.candidate];
    if (chosen === undefined) {
      this.keyReason = 'no column is unique, so rows are known by their content';
      return [];
    }
    this.keyReason = `"${names[chosen]}" is unique and looks like a key`;
    return [chosen];
  }

  /** The first problem, or undefined when all rows of the batch are in. */
  private encodeBatch(batch: RowBatch): { problem: RowProblem; row: number } | undefined {
    const { out, builder, encoder, sorter } = this;
    const { values } = builder;
    const keyless = this.schema.key.length === 0;
    for (let row = 0; row < batch.rows; row++) {
      // The value is written where the tree keeps it; one that is out of order moves on.
      const valueStart = values.length;
      out.clear();
      if (!encoder.encode(batch, row, out, values)) {
        return { problem: encoder.problem as RowProblem, row };
      }
      if (!keyless && builder.isAfterLast(out.bytes, 0, out.length)) {
        builder.appendWritten(out.bytes, 0, out.length, valueStart);
      } else {
        out.raw(values.bytes, valueStart, values.length);
        sorter.add(out.bytes, 0, encoder.keyLength, out.length);
        values.length = valueStart;
      }
    }
    this.rows += batch.rows;
    return undefined;
  }

  /** @throws DvError when no other plan could do better */
  private replan(
    { problem, row }: { problem: RowProblem; row: number },
    batch: RowBatch,
  ): ImportPlan {
    const { plan } = this;
    const { name, type } = this.schema.columns[problem.column];
    if (problem.kind === 'misfit' && this.input.options.types?.get(name) === undefined) {
      const cell = Buffer.from(problem.text ?? '');
      const wider = joinTypes(type, narrowestType(cell, 0, cell.length));
      return { ...plan, keyTypes: new Map(plan.keyTypes).set(name, wider) };
    }
    if (plan.key.kind === 'choose' && problem.kind !== 'misfit') return this.nextCandidate();
    const place = { file: this.input.source.name, line: batch.lines[row] };
    throw rowError(this.schema, problem, { ...place, column: problem.column + 1 });
  }

  private nextCandidate(): ImportPlan {
    return { ...this.plan, key: { kind: 'choose', next: this.candidate + 1 } };
  }

  private async finish(): Promise<PassResult> {
    const mixed = this.reader.mixedColumns().filter((name) => !this.plan.rawJson.has(name));
    if (mixed.length > 0) {
      const rawJson = new Set([...this.plan.rawJson, ...mixed]);
      return { done: false, plan: { ...this.plan, rawJson } };
    }
    this.checkGivenTypes();
    const schema = this.finalSchema();
    for (const i of schema.key) {
      const { name, type } = schema.columns[i];
      if (type === this.schema.columns[i].type) continue;
      return {
        done: false,
        plan: { ...this.plan, keyTypes: new Map(this.plan.keyTypes).set(name, type) },
      };
    }
    const tree = await this.finishTree(schema);
    if (schema.key.length > 0 && (await countRows(this.input.nodes, tree)) < this.rows) {
      if (this.plan.key.kind === 'choose') return { done: false, plan: this.nextCandidate() };
      await this.reportDuplicate(schema);
    }
    return { done: true, imported: await this.store(schema, tree) };
  }

  /** A type that was given must hold; one that was remembered may widen. */
  private checkGivenTypes(): void {
    const given = [...(this.input.options.types?.keys() ?? [])];
    keyIndices(given, this.reader.columns, this.input.source.name, false);
    const [misfit] = this.inference.misfits();
    if (misfit === undefined) return;
    throw typeMismatch(this.input.source.name, this.reader.columns[misfit.column], misfit);
  }

  /** The tree of all rows: those that came in order, and those the sorter has. */
  private async finishTree(schema: Schema): Promise<Hash> {
    const tree = await this.builder.finish();
    if (this.sorter.added === 0) return tree;
    const { nodes } = this.input;
    const sorted = schema.key.length === 0 ? combineEqual(this.sorter) : dropRepeated(this.sorter);
    if (this.sorter.added < this.rows * FEW) return editTree(nodes, tree, sorted);
    const builder = this.newBuilder();
    await mergeBuild(nodes, tree, sorted, builder);
    return builder.finish();
  }

  /** Column types after the last row; a declared type beats an inferred one. */
  private finalSchema(): Schema {
    const inferred = this.inference.result(this.reader.columns.length);
    const { declaredTypes, columns: names } = this.reader;
    const columns = names.map((name, i) => {
      const learnt = this.schema.key.includes(i) ? this.plan.keyTypes.get(name) : undefined;
      const given = this.input.options.types?.get(name);
      return { name, type: given ?? learnt ?? declaredTypes[i] ?? inferred[i]?.type ?? 'text' };
    });
    return withRules({ columns, key: this.schema.key }, this.input.prior?.schema.rules);
  }

  private async reportDuplicate(schema: Schema): Promise<never> {
    const { source, scratch } = this.input;
    const found = await findDuplicate(await this.openReader(), schema, scratch);
    throw duplicateKey(source.name, schema, found);
  }

  private async store(schema: Schema, tree: Hash): Promise<ImportedTable> {
    const { nodes, prior } = this.input;
    const schemaChunk = toChunk(encodeSchema(schema));
    if (schemaChunk.bytes.length > MAX_CHUNK_BYTES)
      throw namesTooLong(this.input.source.name, schema, schemaChunk.bytes.length);
    const table = toChunk(encodeTable({ schema: schemaChunk.hash, tree }), prior?.table);
    nodes.put(schemaChunk);
    nodes.put(table);
    await nodes.flush();
    const inferred = this.inference.result(this.reader.columns.length);
    return {
      table: table.hash,
      schema,
      dialect: this.reader.dialect(),
      rows: this.rows,
      columns: schema.columns.map(({ type }, i) =>
        inferred[i]?.type === type
          ? inferred[i]
          : { type, reason: this.declaredReason(schema.columns[i].name) },
      ),
      keyReason: this.keyReason,
      widenings: this.inference.widenings(),
    };
  }

  private declaredReason(name: string): string {
    return this.input.options.types?.has(name) ? 'given' : 'the file says so';
  }
}

/** What detection cannot see, and so must be remembered. */
function rememberedDialect(dialect: Partial<Dialect> | undefined): Partial<Dialect> {
  if (dialect === undefined) return {};
  const { format, delimiter, header, encoding } = dialect;
  return Object.fromEntries(
    Object.entries({ format, delimiter, header, encoding }).filter(([, v]) => v !== undefined),
  );
}

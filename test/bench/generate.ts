/**
 * The table that every benchmark measures: a CSV of `rows` x 8 columns, about 92 bytes a
 * row, the same bytes for the same seed. About one row in 64 has a quoted cell, one in 50
 * an empty one, and some names are not ASCII, so that no fast path is flattered.
 *
 *   node test/bench/generate.ts ROWS OUTFILE [--seed n] [--edits k] [--edit-seed n] [--half h]
 *
 * With `--edits k` one cell differs in k rows scattered over the file; the rest is
 * identical. Different edit seeds give two sides for a merge; with `--half first` and `--half
 * second` they touch no row in common.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

export interface TableOptions {
  readonly rows: number;
  /** Default 1. */
  readonly seed?: number;
  /** Rows in which one cell is changed, one in each of `edits` equal stretches. Default 0. */
  readonly edits?: number;
  /** Default 1. */
  readonly editSeed?: number;
  /** Edit only rows of this half of every stretch. */
  readonly half?: Half;
}

type Half = 'first' | 'second' | undefined;

/** Uniform in [0, below), an integer. */
type Random = (below: number) => number;

const HEADER = 'id,name,email,country,amount,count,day,updated\n';
const CHUNK_CHARACTERS = 1 << 20;

const FIRST = (
  'Ada Ben Carla Dmitri Elena Farid Grace Hugo Ines Jonas Kaori Liam Maria Nadia Omar Priya ' +
  'Quentin Rosa Sofia Tomas Uma Viktor Wen Ximena Yusuf Zoë Søren Łucja André Björn Chloé Jiří'
).split(' ');
const LAST = (
  'Abe Baker Castro Dubois Eriksen Fischer Garcia Haddad Ito Jensen Kowalski Lindgren Moreau ' +
  'Novak Okafor Peters Quinn Rossi Silva Tanaka Ueda Vargas Weber Xu Yilmaz Zhang Öberg Núñez'
).split(' ');
const DOMAINS = ['example.org', 'example.com', 'mail.test', 'post.example', 'corp.test'];
const COUNTRIES = 'AR BR CN DE EG FR GB IN JP KE MX NA NG NO PL SE TR US VN ZA'.split(' ');

/** The cells behind the id, in column order, as they stand in the file. */
const CELLS: readonly ((random: Random) => string)[] = [
  (random) => {
    const first = pick(random, FIRST);
    const last = pick(random, LAST);
    return random(64) === 0 ? `"${last}, ${first}"` : `${first} ${last}`;
  },
  (random) => `${word(random, 5)}.${word(random, 6)}${random(100)}@${pick(random, DOMAINS)}`,
  (random) => pick(random, COUNTRIES),
  (random) => (random(50) === 0 ? '' : `${random(9000)}.${two(random(100))}`),
  (random) => `${random(500)}`,
  (random) => day(random),
  (random) => `${day(random)}T${two(random(24))}:${two(random(60))}:${two(random(60))}Z`,
];

/** The file, about a megabyte at a time. */
export function* generateTable(options: TableOptions): Generator<Buffer> {
  const random = seeded(options.seed ?? 1);
  const editRandom = seeded((options.editSeed ?? 1) ^ 0x5eed);
  const edits = scatter(options.rows, options.edits ?? 0, editRandom, options.half);
  let next = edits.next();
  let text = HEADER;
  for (let row = 0; row < options.rows; row++) {
    const cells = CELLS.map((make) => make(random));
    if (!next.done && next.value === row) {
      change(cells, editRandom);
      next = edits.next();
    }
    text += `${row + 1},${cells.join(',')}\n`;
    if (text.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text);
}

/** Writes the file without holding more than a chunk of it. */
export async function writeTable(path: string, options: TableOptions): Promise<void> {
  const out = createWriteStream(path);
  for (const chunk of generateTable(options)) {
    if (!out.write(chunk)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

/** `count` row numbers in ascending order, one at a random place in each stretch. */
function* scatter(
  rows: number,
  count: number,
  random: Random,
  half: Half,
): Generator<number, undefined> {
  for (let i = 0; i < Math.min(count, rows); i++) {
    const from = Math.floor((i * rows) / Math.min(count, rows));
    const to = Math.floor(((i + 1) * rows) / Math.min(count, rows));
    const middle = (from + to) >> 1;
    if (half === 'first') yield from + random(middle - from);
    else if (half === 'second') yield middle + random(to - middle);
    else yield from + random(to - from);
  }
  return undefined;
}

function change(cells: string[], random: Random): void {
  const column = random(cells.length);
  const before = cells[column];
  while (cells[column] === before) cells[column] = CELLS[column](random);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)];
}

function word(random: Random, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += 'abcdefghiklmnoprstuvy'[random(21)];
  return text;
}

function day(random: Random): string {
  return `${2015 + random(11)}-${two(1 + random(12))}-${two(1 + random(28))}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

/** Mulberry32: small, fast, and the same everywhere. */
function seeded(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      edits: { type: 'string' },
      'edit-seed': { type: 'string' },
      half: { type: 'string' },
    },
  });
  const [rows, path] = positionals;
  if (path === undefined) throw new Error('usage: generate.ts ROWS OUTFILE [--seed n] [--edits k]');
  await writeTable(path, {
    rows: Number(rows),
    seed: Number(values.seed ?? 1),
    edits: Number(values.edits ?? 0),
    editSeed: Number(values['edit-seed'] ?? 1),
    half: values.half as Half,
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main();
}

/**
 * The `sum` rule: ours + theirs - base on the digits themselves, never through a double.
 * A decimal keeps the most decimal places of the three (`1.50` + `2` is `3.50`); a float has
 * its one shortest spelling.
 */
import { fits } from './cell-type.ts';
import type { Cell, ColumnType } from './schema.ts';

/** digits x 10^-places */
interface Exact {
  readonly digits: bigint;
  readonly places: number;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Exponents further apart than this have no sum that a float column should hold. */
const WIDEST_FLOAT = 2000;
/** From here on a float is written with an exponent. */
const LONGEST_PLAIN = 21;

/** undefined: a cell that is no finite number of the type, or a sum beyond int64. */
export function addDifferences(
  type: ColumnType,
  { base, ours, theirs }: { readonly base: Cell; readonly ours: Cell; readonly theirs: Cell },
): string | undefined {
  if (type !== 'integer' && type !== 'decimal' && type !== 'float') return undefined;
  const numbers = [ours, theirs, base].map((cell) => parseExact(type, cell));
  const [a, b, c] = numbers;
  if (a === undefined || b === undefined || c === undefined) return undefined;
  // A zero's places count in a decimal only, where they are kept.
  const counted = [a, b, c].filter(({ digits }) => type === 'decimal' || digits !== 0n);
  const places = counted.length === 0 ? [0] : counted.map((number) => number.places);
  const most = Math.max(...places);
  if (type === 'float' && most - Math.min(...places) > WIDEST_FLOAT) return undefined;
  const scaled = ({ digits, places }: Exact): bigint =>
    digits === 0n ? 0n : digits * 10n ** BigInt(most - places);
  const sum = { digits: scaled(a) + scaled(b) - scaled(c), places: most };
  const text = type === 'float' ? formatFloat(sum) : formatPlain(sum);
  return fits(type, text) ? text : undefined;
}

function parseExact(type: ColumnType, cell: Cell): Exact | undefined {
  if (cell === null) return { digits: 0n, places: 0 };
  const match = fits(type, cell) ? NUMBER.exec(cell) : null;
  if (match === null) return undefined;
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const digits = BigInt(sign + whole + fraction);
  return { digits, places: fraction.length - Number(exponent) };
}

/** `places` may be below zero. */
function formatPlain({ digits, places }: Exact): string {
  if (places <= 0) return (digits * 10n ** BigInt(-places)).toString();
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(places + 1, '0');
  return `${sign}${text.slice(0, -places)}.${text.slice(-places)}`;
}

/** No trailing zeros; with an exponent only where the plain form is long. */
function formatFloat({ digits, places }: Exact): string {
  const [, sign, lead] = /^(-?)(\d+?)0*$/.exec(digits.toString())!;
  if (lead === '0') return '0';
  const zeros = digits.toString().length - sign.length - lead.length;
  const shortest = { digits: BigInt(sign + lead), places: places - zeros };
  const magnitude = lead.length - 1 - shortest.places;
  if (magnitude >= -7 && magnitude < LONGEST_PLAIN) return formatPlain(shortest);
  const fraction = lead.length > 1 ? `.${lead.slice(1)}` : '';
  return `${sign}${lead[0]}${fraction}e${magnitude}`;
}

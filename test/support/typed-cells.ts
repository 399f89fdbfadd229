/** Cells of each type, and near misses of them; and what order their values have. */
import fc from 'fast-check';
import type { ColumnType } from '../../src/tuple/schema.ts';
import { texts } from './row-batches.ts';

const digits = fc.stringMatching(/^[0-9]{1,24}$/);
const wholes = fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9][0-9]{0,24}$/));
const signs = fc.constantFrom('', '-');
const integers = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -70000n, max: 70000n }),
    fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n, 10n ** 15n),
  )
  .map(String);
const decimals = fc.oneof(
  fc.tuple(signs, wholes).map((parts) => parts.join('')),
  fc.tuple(signs, wholes, fc.constant('.'), digits).map((parts) => parts.join('')),
  fc.stringMatching(/^-?(0|[1-9][0-9]?)(\.[0-9]{1,2})?$/),
);
const floats = fc.oneof(
  decimals,
  fc
    .tuple(decimals, fc.constantFrom('e', 'E', 'e+', 'e-'), fc.integer({ min: 0, max: 40 }))
    .map((parts) => parts.join('')),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '1e999999999', '1e-999999999'),
);
const dates = fc
  .date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(-24).slice(0, 10))
  .filter((text) => /^\d{4}/.test(text));
const zones = fc.constantFrom('', 'Z', '+01', '-0530', '+23:59', '-23:59');
const times = fc.constantFrom('00:00', '23:59:59', '12:30:00.5', '12:30:00.500000001', '01:02:03');
const timestamps = fc.oneof(
  dates,
  fc.tuple(dates, fc.constantFrom('T', ' '), times, zones).map((parts) => parts.join('')),
  fc
    .tuple(fc.constantFrom('2024-02-28', '2024-02-29'), fc.constant('T'), times, zones)
    .map((parts) => parts.join('')),
);

export const cellsOf: Readonly<Record<ColumnType, fc.Arbitrary<string>>> = {
  text: texts,
  integer: integers,
  decimal: decimals,
  float: floats,
  boolean: fc.constantFrom('true', 'false'),
  date: dates,
  timestamp: timestamps,
  json: fc.oneof(fc.json({ maxDepth: 2 }), fc.constantFrom('{}', '[1, 2]', '{"a":{}}')),
  bytes: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64')),
};

/** Cells of every type, and cells that look like one but are not. */
export const anyCells: fc.Arbitrary<string> = fc.oneof(
  ...Object.values(cellsOf),
  fc.constantFrom('007', '+5', '.5', '5.', '1e', '1e1234567890', '-', '--1', '-0', ' 1', '1 '),
  fc.constantFrom('True', 'TRUE', 'nan', 'inf', '[1', '{"a":1}x', '[01]', '{a:1}', '[', ']'),
  fc.constantFrom('2023-02-29', '2024-13-01', '2024-01-01T24:00', '2024-01-01T', '20240101'),
  fc.constantFrom('9223372036854775808', '-9223372036854775809', '-9223372036854775808'),
);

interface Exact {
  readonly mantissa: bigint;
  readonly exponent: bigint;
}

function exact(text: string): Exact {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  return {
    mantissa: BigInt(sign + whole + fraction),
    exponent: BigInt(exponent) - BigInt(fraction.length),
  };
}

function sign(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0;
}

/** Place of the values that are not numbers, and of 10^huge, around the rest. */
function extreme(text: string): number {
  if (text === 'NaN') return 3;
  if (text.endsWith('Infinity')) return text.startsWith('-') ? -2 : 2;
  return text === '1e999999999' ? 1 : 0;
}

function compareNumbers(a: string, b: string): number {
  if (extreme(a) !== 0 || extreme(b) !== 0) return extreme(a) - extreme(b);
  const tiny = '1e-999999999';
  const [x, y] = [a, b].map((text) => exact(text === tiny ? '1e-100' : text));
  const shift = x.exponent - y.exponent;
  return shift > 0n
    ? sign(x.mantissa * 10n ** shift - y.mantissa)
    : sign(x.mantissa - y.mantissa * 10n ** -shift);
}

/** Nanoseconds since the epoch, by way of Date. */
export function instantOf(text: string): bigint {
  const [, day, clock = '00:00', fraction = '', zone = 'Z'] =
    /^(.{10})(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-].*)?)?$/.exec(text)!;
  const colon = zone.length === 3 ? `${zone}:00` : zone.replace(/^(...)(\d\d)$/, '$1:$2');
  const ms = new Date(`${day}T${clock}${colon}`).getTime();
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compareValues(type: ColumnType, a: string, b: string): number {
  switch (type) {
    case 'integer':
    case 'decimal':
    case 'float':
      return compareNumbers(a, b);
    case 'timestamp':
      return sign(instantOf(a) - instantOf(b));
    default:
      return compareText(a, b);
  }
}

/** The order of cells of a type: by value, then by text. */
export function compareCells(type: ColumnType, a: string, b: string): number {
  return compareValues(type, a, b) || compareText(a, b);
}

/** Points in time as people write them. The tests run in a zone with summer time. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDate } from '../../src/porcelain/dates.ts';

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = 'Europe/Berlin';
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

/** A Wednesday. */
const now = () => Date.parse('2026-11-04T15:30:45.250+01:00');

function iso(text: string): string | undefined {
  const time = parseDate(text, now());
  return time === undefined ? undefined : new Date(time).toISOString();
}

describe('calendar', () => {
  test.each([
    ['2026-11-01', '2026-10-31T23:00:00.000Z'],
    ['2026-07-01', '2026-06-30T22:00:00.000Z'],
    ['2026/11/1', '2026-10-31T23:00:00.000Z'],
    ['2026-11-01T12:30', '2026-11-01T11:30:00.000Z'],
    ['2026-11-01 12:30:05', '2026-11-01T11:30:05.000Z'],
    ['2026-11-01T12:30:05.250Z', '2026-11-01T12:30:05.250Z'],
    ['2026-11-01t12:30:05.123456+05:30', '2026-11-01T07:00:05.123Z'],
    ['2026-11-01 12:30 -0800', '2026-11-01T20:30:00.000Z'],
    ['  2026-11-01 noon ', '2026-11-01T11:00:00.000Z'],
    ['Sun, 1 Nov 2026 12:30:00 +0100', '2026-11-01T11:30:00.000Z'],
    ['1 november 2026', '2026-10-31T23:00:00.000Z'],
    ['0099-01-01T00:00Z', '0099-01-01T00:00:00.000Z'],
    ['2024-02-29T00:00Z', '2024-02-29T00:00:00.000Z'],
    // The clock is put back at 03:00 on 2026-10-25: the day has 25 hours, and noon is noon.
    ['2026-10-25 12:00', '2026-10-25T11:00:00.000Z'],
  ])('%s', (text, expected) => {
    expect(iso(text)).toBe(expected);
  });

  test('any instant comes back from its ISO text', () => {
    const instant = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instant, (date) => {
        expect(parseDate(date.toISOString(), 0)).toBe(date.getTime());
      }),
    );
  });
});

describe('since the epoch', () => {
  test.each([
    ['@0', 0],
    ['@-1', -1000],
    ['@1793534400', 1793534400000],
    ['@1793534400.5', 1793534400500],
    ['1793534400', 1793534400000],
  ])('%s', (text, expected) => {
    expect(parseDate(text, now())).toBe(expected);
  });
});

describe('relative', () => {
  test.each([
    ['now', '2026-11-04T14:30:45.250Z'],
    ['today', '2026-11-03T23:00:00.000Z'],
    ['midnight', '2026-11-03T23:00:00.000Z'],
    ['noon', '2026-11-04T11:00:00.000Z'],
    ['9:05', '2026-11-04T08:05:00.000Z'],
    ['yesterday', '2026-11-03T14:30:45.250Z'],
    ['yesterday noon', '2026-11-03T11:00:00.000Z'],
    ['yesterday 23:59', '2026-11-03T22:59:00.000Z'],
    ['tuesday', '2026-11-02T23:00:00.000Z'],
    ['last wednesday', '2026-10-27T23:00:00.000Z'],
    ['thu 8:00', '2026-10-29T07:00:00.000Z'],
    ['2 days ago', '2026-11-02T14:30:45.250Z'],
    ['2.days.ago', '2026-11-02T14:30:45.250Z'],
    ['2 days', '2026-11-02T14:30:45.250Z'],
    ['an hour ago', '2026-11-04T13:30:45.250Z'],
    ['1 hour 30 minutes ago', '2026-11-04T13:00:45.250Z'],
    ['three weeks ago', '2026-10-14T13:30:45.250Z'],
    ['90 seconds ago', '2026-11-04T14:29:15.250Z'],
    ['last month', '2026-10-04T13:30:45.250Z'],
    ['last year', '2025-11-04T14:30:45.250Z'],
    // Ten days earlier summer time still held: the time of day stays, not the hours.
    ['11 days ago', '2026-10-24T13:30:45.250Z'],
  ])('%s', (text, expected) => {
    expect(iso(text)).toBe(expected);
  });

  test('a month ends where a shorter one does', () => {
    const lastOfMarch = Date.parse('2026-03-31T12:00:00+02:00');
    const time = parseDate('1 month ago', lastOfMarch) ?? 0;
    expect(new Date(time).toISOString()).toBe('2026-02-28T11:00:00.000Z');
  });
});

test.each([
  '',
  'soon',
  'ago',
  'days ago',
  '2 fortnights ago',
  'eleven days ago',
  '-1 days ago',
  '2026-13-01',
  '2026-02-30',
  '2025-02-29',
  '2026-00-10',
  '2026-1-1-1',
  '2026-11-01T24:00',
  '2026-11-01T12:60',
  '2026-11-01T12:30+1',
  '2026-11-01 tomorrow',
  '1 foo 2026',
  '@',
  '@1e9',
  '12345',
  'yesterday yesterday',
  '999999 years ago',
  'th',
  'constructor',
])('%j is no time', (text) => {
  expect(parseDate(text, now())).toBeUndefined();
});

test('any text is a time or none, and never fails', () => {
  const word = fc.oneof(
    fc.constantFrom('2026', '-', '11', ':', 'ago', 'days', 'last', 'friday', '@', ' ', 'z', '.'),
    fc.string(),
  );
  const text = fc.array(word, { maxLength: 8 }).map((words) => words.join(''));
  fc.assert(
    fc.property(text, (words) => {
      const time = parseDate(words, now());
      expect(time === undefined || Number.isInteger(time)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

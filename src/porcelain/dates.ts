/**
 * Points in time as people write them, for `--since`, `--date`, `main@{yesterday}`:
 *
 *   2026-11-01            the start of that day        2026-11-01T12:30:05.250+01:00
 *   2026-11-01 12:30      Sun, 1 Nov 2026 12:30 +0100  @1793534400 (seconds since 1970)
 *   now  today  midnight  noon  yesterday (24 hours ago)  last friday  14:30
 *   2 days ago  1 hour 30 minutes ago  3.weeks.ago  last month  an hour ago
 *   yesterday 14:30       friday noon
 *
 * Without a zone a time is local, as in git. Months and years count by the calendar.
 */

const MS = { second: 1000, minute: 60_000, hour: 3_600_000 } as const;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const NUMBERS = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
];

const ISO_DAY = /^(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[t\s]+(.+))?$/;
const MAIL_DAY = /^(?:[a-z]{3,9},?\s+)?(\d{1,2})\s+([a-z]{3})[a-z]*\s+(\d{4})(?:\s+(.+))?$/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(.*)$/;
const ZONE = /^([+-])(\d{2}):?(\d{2})$/;

/** Milliseconds since the epoch, or undefined when `text` is no time. `now` likewise. */
export function parseDate(text: string, now: number): number | undefined {
  const words = text.trim().toLowerCase();
  const time = parseEpoch(words) ?? parseCalendar(words) ?? parseRelative(words, now);
  return Number.isFinite(time) ? time : undefined; // not where the calendar itself ends
}

/** `@1793534400`, or a bare number that is too long for anything else. */
function parseEpoch(words: string): number | undefined {
  const match = /^@(-?\d{1,12}(?:\.\d{1,9})?)$/.exec(words) ?? /^(\d{9,12})$/.exec(words);
  return match === null ? undefined : Math.round(Number(match[1]) * 1000);
}

function parseCalendar(words: string): number | undefined {
  const iso = ISO_DAY.exec(words);
  if (iso !== null) return atTime(Number(iso[1]), Number(iso[3]), Number(iso[4]), iso[5]);
  const mail = MAIL_DAY.exec(words);
  if (mail === null) return undefined;
  return atTime(Number(mail[3]), MONTHS.indexOf(mail[2]) + 1, Number(mail[1]), mail[4]);
}

/** A day with an optional `12:30:05.250 +01:00`; undefined when there is no such day. */
function atTime(year: number, month: number, day: number, rest?: string): number | undefined {
  const days = new Date(Date.UTC(2000, month - 1, day));
  days.setUTCFullYear(year, month - 1, day);
  if (month < 1 || days.getUTCMonth() !== month - 1 || days.getUTCDate() !== day) return undefined;
  const clock = rest === undefined ? { ms: 0, zone: '' } : parseClock(rest);
  if (clock === undefined) return undefined;
  if (clock.zone === '') return localTime(year, month - 1, day, clock.ms);
  const offset = parseZone(clock.zone);
  return offset === undefined ? undefined : days.getTime() + clock.ms - offset;
}

function localTime(year: number, month: number, day: number, ms: number): number {
  const date = new Date(2000, 0, 1, 0, 0, 0, ms); // by parts: on a day of 23 hours, 12:00 is noon
  date.setFullYear(year, month, day);
  return date.getTime();
}

/** Milliseconds into the day, and what follows the time. */
function parseClock(words: string): { ms: number; zone: string } | undefined {
  if (words === 'noon') return { ms: 12 * MS.hour, zone: '' };
  if (words === 'midnight') return { ms: 0, zone: '' };
  const match = CLOCK.exec(words);
  if (match === null) return undefined;
  const [hours, minutes, seconds] = [match[1], match[2], match[3] ?? '0'].map(Number);
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const fraction = Math.floor(Number(`0.${match[4] ?? '0'}`) * 1000);
  const ms = hours * MS.hour + minutes * MS.minute + seconds * MS.second + fraction;
  return { ms, zone: match[5] };
}

/** The offset from UTC in ms, east positive. */
function parseZone(words: string): number | undefined {
  if (words === 'z' || words === 'utc' || words === 'gmt') return 0;
  const match = ZONE.exec(words);
  if (match === null) return undefined;
  const ms = Number(match[2]) * MS.hour + Number(match[3]) * MS.minute;
  return match[1] === '-' ? -ms : ms;
}

function parseRelative(words: string, now: number): number | undefined {
  if (words === 'now') return now;
  if (words === 'yesterday') return daysBefore(now, 1);
  return parseDayAndClock(words, now) ?? parseAgo(words, now);
}

/** `today`, `friday noon`, `yesterday 14:30`, `14:30`: without a time, the day's start. */
function parseDayAndClock(words: string, now: number): number | undefined {
  const [first, ...others] = words.replace(/^last\s+/, '').split(/\s+/);
  const back = daysBack(first, now);
  const rest = back === undefined ? [first, ...others] : others;
  const clock = rest.length === 0 ? { ms: 0, zone: '' } : parseClock(rest.join(' '));
  if (clock === undefined || clock.zone !== '') return undefined;
  const day = new Date(daysBefore(now, back ?? 0));
  return localTime(day.getFullYear(), day.getMonth(), day.getDate(), clock.ms);
}

/** How many days ago the day `word` was; a weekday is the last one before today. */
function daysBack(word: string, now: number): number | undefined {
  if (word === 'today') return 0;
  if (word === 'yesterday') return 1;
  const weekday = word.length < 3 ? -1 : WEEKDAYS.findIndex((name) => name.startsWith(word));
  return weekday < 0 ? undefined : ((new Date(now).getDay() - weekday + 6) % 7) + 1;
}

/** `2 days ago`, `1 hour 30 minutes ago`, `last week`. */
function parseAgo(words: string, now: number): number | undefined {
  const parts = words
    .replace(/[.\s]+/g, ' ')
    .replace(/ ago$/, '')
    .split(' ');
  if (parts.length % 2 !== 0) return undefined;
  let time = now;
  for (let i = 0; i < parts.length; i += 2) {
    const moved = moveBack(time, parseAmount(parts[i]), parts[i + 1].replace(/s$/, ''));
    if (moved === undefined) return undefined;
    time = moved;
  }
  return time;
}

function parseAmount(word: string): number {
  if (word === 'a' || word === 'an' || word === 'last') return 1;
  if (/^\d{1,6}$/.test(word)) return Number(word);
  return NUMBERS.indexOf(word);
}

function moveBack(time: number, amount: number, unit: string): number | undefined {
  if (amount < 0) return undefined;
  if (unit === 'second' || unit === 'sec') return time - amount * MS.second;
  if (unit === 'minute' || unit === 'min') return time - amount * MS.minute;
  if (unit === 'hour') return time - amount * MS.hour;
  if (unit === 'day') return daysBefore(time, amount);
  if (unit === 'week') return daysBefore(time, amount * 7);
  if (unit === 'month') return monthsBefore(time, amount);
  if (unit === 'year') return monthsBefore(time, amount * 12);
  return undefined;
}

/** The same time of day; where the clock is put forward or back a day has 23 or 25 hours. */
function daysBefore(time: number, days: number): number {
  const date = new Date(time);
  date.setDate(date.getDate() - days);
  return date.getTime();
}

/** The same day of the month, or the last one of a shorter month. */
function monthsBefore(time: number, months: number): number {
  const date = new Date(time);
  const day = date.getDate();
  date.setDate(1);
  date.setMonth(date.getMonth() - months + 1, 0);
  date.setDate(Math.min(day, date.getDate()));
  return date.getTime();
}

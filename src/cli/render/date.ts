/**
 * Points in time as git writes them, in the zone of the person whose they are.
 * `time` in ms since the epoch, `zone` the offset from UTC in minutes, east positive.
 */
import type { Person } from '../../model/objects.ts';

export type When = Pick<Person, 'time' | 'zone'>;

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `Sun Nov 22 22:39:33 2026 +0000` */
export function formatDate({ time, zone }: When): string {
  const local = new Date(time + zone * 60_000);
  const day = `${DAYS[local.getUTCDay()]} ${MONTHS[local.getUTCMonth()]} ${local.getUTCDate()}`;
  const clock = local.toISOString().slice(-13, -5);
  return `${day} ${clock} ${local.getUTCFullYear()} ${formatZone(zone, '')}`;
}

/** `2026-11-22T22:39:33+00:00` */
export function formatIsoDate({ time, zone }: When): string {
  const local = new Date(time + zone * 60_000).toISOString();
  return `${local.slice(0, -5)}${formatZone(zone, ':')}`;
}

/** `2026-11-22` */
export function formatShortDate({ time, zone }: When): string {
  return new Date(time + zone * 60_000).toISOString().slice(0, -14);
}

const STEPS = [
  ['year', 365 * 24 * 3600],
  ['month', 30 * 24 * 3600],
  ['week', 7 * 24 * 3600],
  ['day', 24 * 3600],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** `3 days ago`. */
export function formatRelativeDate({ time }: When, now: number): string {
  const seconds = Math.round((now - time) / 1000);
  if (seconds < 0) return 'in the future';
  const [unit, size] = STEPS.find(([, least]) => seconds >= least) ?? ['second', 1];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

function formatZone(zone: number, separator: string): string {
  const minutes = Math.abs(zone);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${zone < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${separator}${two(minutes % 60)}`;
}

/** Numbers for people: thousands grouped, bytes in decimal units, a noun that agrees. */

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `1,234,567` */
export function formatNumber(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `12 B`, `1.2 kB`, `92.0 MB`: powers of a thousand. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.95 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `1 row`, `1,234 rows`; bytes as `formatBytes` has them. `plural` in English. */
export function formatCount(value: number, plural: string): string {
  if (plural === 'bytes') return formatBytes(value);
  const singular = plural.replace(/ches$/, 'ch').replace(/s$/, '');
  return `${formatNumber(value)} ${value === 1 ? singular : plural}`;
}

/**
 * Counters, gauges and histograms, and their text for Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). The number of series of a
 * name is bounded, as label values may come from callers: beyond it all count as one.
 */

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const MAX_SERIES = 1000;

export type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly labels: Labels;
  value: number;
  /** Of a histogram: observations by bucket, the sum in `value`. */
  readonly counts: number[];
}

interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly series: Map<string, Series>;
}

export class Metrics {
  readonly #families = new Map<string, Family>();

  count(name: string, labels: Labels = {}, by = 1): void {
    this.#series(name, 'counter', labels).value += by;
  }

  /** A counter that somebody else keeps. */
  total(name: string, value: number): void {
    this.#series(name, 'counter', {}).value = value;
  }

  gauge(name: string, labels: Labels, value: number): void {
    this.#series(name, 'gauge', labels).value = value;
  }

  drop(name: string, labels: Labels): void {
    this.#families.get(name)?.series.delete(keyOf(labels));
  }

  observe(name: string, labels: Labels, seconds: number): void {
    const series = this.#series(name, 'histogram', labels);
    series.value += seconds;
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    const at = bucket < 0 ? BUCKETS.length : bucket;
    series.counts[at] = (series.counts[at] ?? 0) + 1;
  }

  /** The value of a counter or gauge now; 0 when nobody counted. */
  get(name: string, labels: Labels = {}): number {
    return this.#families.get(name)?.series.get(keyOf(labels))?.value ?? 0;
  }

  render(): string {
    const lines: string[] = [];
    for (const [name, { type, series }] of this.#families) {
      lines.push(`# TYPE ${name} ${type}`);
      for (const one of series.values()) lines.push(...renderSeries(name, type, one));
    }
    return `${lines.join('\n')}\n`;
  }

  #series(name: string, type: Family['type'], labels: Labels): Series {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { type, series: new Map() };
      this.#families.set(name, family);
    }
    let key = keyOf(labels);
    let kept = labels;
    if (!family.series.has(key) && family.series.size >= MAX_SERIES) {
      kept = { other: 'true' };
      key = keyOf(kept);
    }
    let series = family.series.get(key);
    if (series === undefined) {
      series = { labels: kept, value: 0, counts: [] };
      family.series.set(key, series);
    }
    return series;
  }
}

function keyOf(labels: Labels): string {
  const names = Object.keys(labels);
  if (names.length > 1) names.sort();
  let key = '';
  for (const name of names) key += `${name}=${labels[name].length}:${labels[name]} `;
  return key;
}

function renderSeries(name: string, type: Family['type'], series: Series): string[] {
  const { labels, value, counts } = series;
  if (type !== 'histogram') return [`${name}${renderLabels(labels)} ${value}`];
  let sum = 0;
  const lines = [...BUCKETS, Number.POSITIVE_INFINITY].map((bound, i) => {
    sum += counts[i] ?? 0;
    const le = Number.isFinite(bound) ? String(bound) : '+Inf';
    return `${name}_bucket${renderLabels({ ...labels, le })} ${sum}`;
  });
  const shown = renderLabels(labels);
  return [...lines, `${name}_sum${shown} ${value}`, `${name}_count${shown} ${sum}`];
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

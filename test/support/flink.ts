/**
 * A real Flink for tests: one JVM with a cluster of its own, jars from Maven Central
 * (test/services/flink/pom.xml). It runs SQL until the sources end, and a changelog is folded
 * into the rows that are there in the end.
 */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FoundJars, findJars } from './maven-jars.ts';

const FLINK = fileURLToPath(new URL('../services/flink', import.meta.url));
const RUN_MS = 240_000;
const JVM = ['-Xmx768m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** null, a text (of a number: all its digits), or a map of them. */
export type FlinkCell = null | string | { readonly [name: string]: FlinkCell };
export type FlinkRow = readonly FlinkCell[];
/** `+I`, `-U`, `+U` or `-D`, and the row. */
export type FlinkChange = readonly [kind: string, row: FlinkRow];

/** Where the jars are, or why no Flink can be run. */
export async function findFlinkJars(): Promise<FoundJars> {
  if (spawnSync('javac', ['-version']).status !== 0) return { missing: 'no JDK to run' };
  const pom = join(FLINK, 'pom.xml');
  return findJars({ name: 'flink', pom, variable: 'DV_FLINK_JARS' });
}

/** Runs statements to their end. For each query, its changelog. */
export function runFlink(jars: string, statements: readonly string[]): Promise<FlinkChange[][]> {
  const args = [...JVM, '-cp', join(jars, '*'), join(FLINK, 'RunSql.java')];
  const bounds = { timeout: RUN_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 28 } as const;
  return new Promise((resolve, reject) => {
    const child = execFile('java', args, bounds, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`Flink failed: ${causes(stderr)}`));
      else
        resolve(
          stdout
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line)),
        );
    });
    child.stdin?.on('error', () => undefined); // a JVM that does not start reads nothing
    child.stdin?.end(statements.join('\0'));
  });
}

/** A stack trace without its frames. */
function causes(trace: string): string {
  const lines = trace.split('\n').filter((line) => /^(Exception|Caused by|error:)/.test(line));
  return (lines.length > 0 ? lines.join('\n') : trace).slice(-4000);
}

/** The rows that are there in the end. Throws when a row is taken back that is not there. */
export function foldChangelog(changes: readonly FlinkChange[]): FlinkRow[] {
  const rows = new Map<string, { readonly row: FlinkRow; readonly count: number }>();
  for (const [kind, row] of changes) {
    const text = JSON.stringify(row);
    const count = (rows.get(text)?.count ?? 0) + (kind.startsWith('+') ? 1 : -1);
    if (count < 0) throw new Error(`${kind} of a row that is not there: ${text}`);
    if (count === 0) rows.delete(text);
    else rows.set(text, { row, count });
  }
  return [...rows.values()].flatMap(({ row, count }) => Array<FlinkRow>(count).fill(row));
}

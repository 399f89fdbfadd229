/**
 * Jars that real services of tests run from, fetched by Maven as a `pom.xml` lists them; once a
 * machine, into a folder named after the pom's content.
 */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RESOLVE_MS = 480_000;

export interface JarsWanted {
  /** What is in them, as in `kafka`. */
  readonly name: string;
  readonly pom: string;
  /** The environment's variable that may name a folder which has them. */
  readonly variable: string;
}

/** Where the jars are, or why there are none. */
export type FoundJars = { readonly jars: string } | { readonly missing: string };

export async function findJars({ name, pom, variable }: JarsWanted): Promise<FoundJars> {
  const named = process.env[variable];
  if (named) return existsSync(named) ? { jars: named } : { missing: `no folder '${named}'` };
  if (spawnSync('java', ['-version']).status !== 0) return { missing: 'no java to run' };
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const jars = join(tmpdir(), `dv-${name}-jars-${digest}`);
  return existsSync(jars) ? { jars } : await resolveJars(name, pom, jars);
}

async function resolveJars(name: string, pom: string, jars: string): Promise<FoundJars> {
  const fresh = mkdtempSync(`${jars}-`);
  const why = await copyDependencies(pom, fresh);
  if (why !== undefined) {
    rmSync(fresh, { recursive: true, force: true });
    return { missing: `Maven could not fetch ${name}: ${why}` };
  }
  try {
    renameSync(fresh, jars);
  } catch {
    rmSync(fresh, { recursive: true, force: true }); // another run was faster
  }
  return { jars };
}

/** Why it failed, or undefined. */
function copyDependencies(pom: string, directory: string): Promise<string | undefined> {
  const args = ['-B', '-q', '-f', pom, 'dependency:copy-dependencies'];
  const scope = ['-DincludeScope=runtime', `-DoutputDirectory=${directory}`];
  return new Promise((resolve) => {
    execFile('mvn', [...args, ...scope], { timeout: RESOLVE_MS }, (error, stdout) => {
      if (error === null) resolve(undefined);
      else resolve(stdout.split('\n').find((line) => line.includes('ERROR')) ?? error.message);
    });
  });
}

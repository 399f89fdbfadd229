/** A repository with a history, for the tests of commands that look at data. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type RunOptions, type RunResult, runDv, temporaryRepository } from './cli.ts';

export interface DataRepository {
  readonly directory: string;
  /** Runs dv here, whatever its status is. */
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs dv here and expects it to succeed; what it wrote. */
  dv(...args: string[]): Promise<string>;
  /** Its lines of JSON. */
  json(...args: string[]): Promise<unknown[]>;
  write(name: string, text: string | Uint8Array): void;
  /** Writes files and commits all that is there. */
  commit(message: string, files: Readonly<Record<string, string>>): Promise<void>;
}

export async function openDataRepository(): Promise<DataRepository> {
  const directory = await temporaryRepository();
  const run: DataRepository['run'] = (args, options) => runDv(args, { cwd: directory, ...options });
  const dv = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(args);
    expect({ status, stderr }, `dv ${args.join(' ')}`).toMatchObject({ status: 0 });
    return stdout;
  };
  const write = (name: string, text: string | Uint8Array) =>
    writeFileSync(join(directory, name), text);
  return {
    directory,
    run,
    dv,
    write,
    json: async (...args) => parseLines(await dv(...args)),
    commit: async (message, files) => {
      for (const [name, text] of Object.entries(files)) write(name, text);
      await dv('add', '-A');
      await dv('commit', '-m', message);
    },
  };
}

export function parseLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

export const CITIES = `id,name,population
1,Zürich,415367
2,Geneva,203856
3,Basel,173863
`;

/** Two cells of row 1 and one of row 3 differ, row 2 is gone, row 4 is new. */
export const CITIES_EDITED = `id,name,population
1,Zurich,421878
3,Basel,177595
4,Bern,134794
`;

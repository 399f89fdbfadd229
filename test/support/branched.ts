/** A repository with one table in a file, whose branches tests pull apart and bring together. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMerge } from '../../src/model/merge-state.ts';
import { add } from '../../src/porcelain/add.ts';
import { createBranch } from '../../src/porcelain/branch.ts';
import { commit } from '../../src/porcelain/commit.ts';
import { listConflicts } from '../../src/porcelain/conflicts.ts';
import { log } from '../../src/porcelain/log.ts';
import { fsck } from '../../src/porcelain/maintain.ts';
import { openRepository } from '../../src/porcelain/open-repository.ts';
import { headCommit, type Repository } from '../../src/porcelain/repository.ts';
import { readSequence } from '../../src/porcelain/sequence.ts';
import { status } from '../../src/porcelain/status.ts';
import { switchTo } from '../../src/porcelain/switch.ts';
import { temporaryRepository, testEnvironment } from './repository.ts';

export const FILE = 't.csv';

export class Branched implements AsyncDisposable {
  repo: Repository;
  readonly directory: string;
  readonly #dispose: () => PromiseLike<void>;

  private constructor(repo: Repository, directory: string, dispose: () => PromiseLike<void>) {
    this.repo = repo;
    this.directory = directory;
    this.#dispose = dispose;
  }

  /** With a first commit of `text`, if any. */
  static async open(text?: string): Promise<Branched> {
    const { repo, directory, ...rest } = await temporaryRepository();
    const scene = new Branched(repo, directory, () => rest[Symbol.asyncDispose]());
    if (text !== undefined) await scene.commit(text, 'base');
    return scene;
  }

  /** HEAD's branch `main` with a commit of `ours`, and `side` with one of `theirs`. */
  static async apart(base: string, ours: string, theirs: string): Promise<Branched> {
    const scene = await Branched.open(base);
    await scene.fork('side');
    await scene.commit(theirs, 'theirs');
    await scene.go('main');
    await scene.commit(ours, 'ours');
    return scene;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repo.close();
    await this.#dispose();
  }

  /** The repository as another process finds it. */
  async reopen(): Promise<void> {
    await this.repo.close();
    this.repo = await openRepository(this.directory, testEnvironment(Date.now()));
  }

  get path(): string {
    return join(this.directory, FILE);
  }

  write(text: string): void {
    writeFileSync(this.path, text);
  }

  read(name = FILE): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }

  async commit(text: string, message: string, file = FILE): Promise<string> {
    const path = join(this.directory, file);
    writeFileSync(path, text);
    await add(this.repo, [path]);
    return (await commit(this.repo, { message })).commit!;
  }

  async fork(branch: string): Promise<void> {
    await createBranch(this.repo, branch, 'HEAD');
    await this.go(branch);
  }

  async go(branch: string): Promise<void> {
    await switchTo(this.repo, branch);
  }

  head(): Promise<string | undefined> {
    return headCommit(this.repo);
  }

  /** `KEY: COLUMNS` of every row in conflict; the name of a table or file as a whole. */
  async conflicts(): Promise<string[]> {
    const lines: string[] = [];
    for await (const batch of listConflicts(this.repo)) {
      for (const one of batch) {
        lines.push(
          one.kind === 'row' ? `${one.key.join(',')}: ${one.columns.join(' ')}` : one.table,
        );
      }
    }
    return lines;
  }

  /** Messages from HEAD back. */
  async messages(): Promise<string[]> {
    const found: string[] = [];
    for await (const entry of log(this.repo)) found.push(entry.commit.message);
    return found;
  }

  /** Nothing waits for anybody, the files are what HEAD has, and every byte is sound. */
  async problems(): Promise<unknown[]> {
    const found: unknown[] = [];
    for await (const problem of fsck(this.repo)) found.push(problem);
    if ((await readMerge(this.repo.store)) !== undefined) found.push('a merge waits');
    if ((await readSequence(this.repo.store)) !== undefined) found.push('a sequence waits');
    const now = await status(this.repo);
    if (!now.clean) found.push(now);
    return found;
  }
}

/** The text of a table: a header, and rows as lists of cells. */
export function csv(header: string, ...rows: readonly string[]): string {
  return `${[header, ...rows].join('\n')}\n`;
}

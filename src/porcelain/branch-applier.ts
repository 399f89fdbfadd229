/**
 * `dv watch --apply`: the branch one is on goes along with what it follows, and its files:
 * forward, or merged by the rules; what nothing decides stops it.
 */
import { DvError } from '../errors.ts';
import { readHead } from '../model/head.ts';
import { shortRefName } from '../model/names.ts';
import { requireWorkingFiles } from './bare.ts';
import { merge } from './merge.ts';
import { requireNoMerge } from './merge-guard.ts';
import { configOf, findUpstream } from './remote-config.ts';
import type { Repository } from './repository.ts';

/**
 * Brings the branch one is on, and its files, to what it follows. Calls that come while it
 * works are one more turn of it, so files are written as often as they can be and no more.
 */
export class BranchApplier {
  private readonly repo: Repository;
  private readonly failed: (error: unknown) => void;
  private wanted = false;
  private working: Promise<void> | undefined;

  /** @throws DvError `bare-repository`, `merge-in-progress` */
  static async open(repo: Repository, failed: (error: unknown) => void): Promise<BranchApplier> {
    requireWorkingFiles(repo);
    await requireNoMerge(repo);
    return new BranchApplier(repo, failed);
  }

  private constructor(repo: Repository, failed: (error: unknown) => void) {
    this.repo = repo;
    this.failed = failed;
  }

  /** Something that follows the remote has moved. */
  moved(): void {
    this.wanted = true;
    this.working ??= this.work().finally(() => {
      this.working = undefined;
    });
  }

  /** Resolves when everything that moved so far is applied. */
  async settled(): Promise<void> {
    while (this.working !== undefined) await this.working;
  }

  private async work(): Promise<void> {
    try {
      while (this.wanted) {
        this.wanted = false;
        await this.apply();
      }
    } catch (error) {
      this.failed(error);
    }
  }

  private async apply(): Promise<void> {
    const { repo } = this;
    const head = await readHead(repo.store);
    if (head.kind !== 'branch') return;
    const tracking = findUpstream(configOf(repo), head.branch)?.tracking;
    if (tracking === undefined || (await repo.store.getRef(tracking)) === undefined) return;
    const result = await merge(repo, [shortRefName(tracking)]);
    if (result.outcome !== 'conflicts') return;
    const tables = [...new Set(result.conflicts.map(({ table }) => table))];
    throw new DvError(
      'conflicts-left',
      `what came into '${shortRefName(tracking)}' conflicts with branch '${head.branch}'`,
      {
        hint: 'dv conflicts shows them; dv resolve, dv commit, then watch again',
        data: { branch: head.branch, tables },
      },
    );
  }
}

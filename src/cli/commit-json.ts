/**
 * A commit as `log --json` and `show --json` write it:
 * `{"commit","parents","author":{"name","email"},"time","message"}`, and the counts of what
 * it changed where they were asked for, and `resolved` where merge rules decided. `time` is when the author wrote it.
 */
import type { Hash } from '../hash.ts';
import { readResolved } from '../model/merge-record.ts';
import type { Commit, Tag } from '../model/objects.ts';
import type { CommitSummary } from '../porcelain/commit.ts';

export function commitAsJson(hash: Hash, commit: Commit, summary?: CommitSummary): object {
  const { author, parents, message } = commit;
  const resolved = readResolved(commit);
  return {
    commit: hash,
    parents,
    author: { name: author.name, email: author.email },
    time: new Date(author.time).toISOString(),
    message,
    ...(resolved === undefined ? {} : { resolved }),
    ...(summary === undefined ? {} : { tables: summary.tables }),
    ...(summary === undefined || summary.files.length === 0 ? {} : { files: summary.files }),
  };
}

/** An annotated tag: `{"name","tagger":{"name","email"},"time","message"}`. */
export function tagAsJson({ name, tagger, message }: Tag): object {
  return {
    name,
    tagger: { name: tagger.name, email: tagger.email },
    time: new Date(tagger.time).toISOString(),
    message,
  };
}

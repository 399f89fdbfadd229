/** Every command of dv: its name, the line that the general help shows, where its module is. */
import type { CommandEntry, CommandGroup, CommandModule, CommandTable } from './command.ts';

/** A command whose file exports it as `command`. */
function entry(
  summary: string,
  group: CommandGroup,
  load: () => Promise<{ readonly command: CommandModule }>,
): CommandEntry {
  return { summary, group, load: async () => (await load()).command };
}

export const COMMANDS: CommandTable = {
  add: entry(
    'Stage what changed in files for the next commit',
    'work',
    () => import('./commands/add.ts'),
  ),
  apply: entry('Apply the row changes of a patch', 'exchange', () => import('./commands/apply.ts')),
  bisect: entry(
    'Find the commit that changed something',
    'history',
    () => import('./commands/bisect.ts'),
  ),
  'bisect bad': entry(
    'Say that it is broken in a commit',
    'history',
    () => import('./commands/bisect-bad.ts'),
  ),
  'bisect good': entry(
    'Say that it is not broken in a commit',
    'history',
    () => import('./commands/bisect-good.ts'),
  ),
  'bisect log': entry(
    'Show what was said so far',
    'history',
    () => import('./commands/bisect-log.ts'),
  ),
  'bisect reset': entry('End the search', 'history', () => import('./commands/bisect-reset.ts')),
  'bisect run': entry(
    'Let a program judge each commit',
    'history',
    () => import('./commands/bisect-run.ts'),
  ),
  'bisect skip': entry(
    'Say that a commit cannot be judged',
    'history',
    () => import('./commands/bisect-skip.ts'),
  ),
  'bisect start': entry(
    'Begin to look for a commit by hand',
    'history',
    () => import('./commands/bisect-start.ts'),
  ),
  blame: entry(
    'Show which commit last set each row or cell',
    'history',
    () => import('./commands/blame.ts'),
  ),
  branch: entry(
    'List, make, rename and delete branches',
    'branch',
    () => import('./commands/branch.ts'),
  ),
  'bundle create': entry(
    'Write branches and tags into one file',
    'share',
    () => import('./commands/bundle-create.ts'),
  ),
  'bundle unbundle': entry(
    'Take what a bundle holds into the repository',
    'share',
    () => import('./commands/bundle-unbundle.ts'),
  ),
  'bundle verify': entry('Check a bundle', 'share', () => import('./commands/bundle-verify.ts')),
  'cat-object': entry(
    'Show an object of the store',
    'upkeep',
    () => import('./commands/cat-object.ts'),
  ),
  'cherry-pick': entry(
    'Make commits of elsewhere again here',
    'branch',
    () => import('./commands/cherry-pick.ts'),
  ),
  clone: entry(
    'Copy another repository and follow it',
    'share',
    () => import('./commands/clone.ts'),
  ),
  commit: entry('Record what is staged', 'work', () => import('./commands/commit.ts')),
  completion: {
    summary: 'Print a script that completes dv commands in your shell',
    group: 'setup',
    load: async () => (await import('./commands/completion.ts')).completionCommand(COMMANDS),
  },
  config: entry('Read and change settings', 'setup', () => import('./commands/config.ts')),
  conflicts: entry(
    'Show what a merge left to decide',
    'branch',
    () => import('./commands/conflicts.ts'),
  ),
  diff: entry('Show which rows differ', 'history', () => import('./commands/diff.ts')),
  export: entry(
    'Write a table to a file or standard output',
    'exchange',
    () => import('./commands/export.ts'),
  ),
  fetch: entry(
    'Bring what a remote has and you have not',
    'share',
    () => import('./commands/fetch.ts'),
  ),
  fsck: entry(
    'Check every object and what refers to it',
    'upkeep',
    () => import('./commands/fsck.ts'),
  ),
  gc: entry('Remove what nothing refers to any more', 'upkeep', () => import('./commands/gc.ts')),
  hash: entry('Print the hash of a table', 'history', () => import('./commands/hash.ts')),
  help: {
    summary: 'Show what dv can do, or how a command works',
    group: 'setup',
    load: async () => (await import('./commands/help.ts')).helpCommand(COMMANDS),
  },
  history: entry('Show every version of one row', 'history', () => import('./commands/history.ts')),
  import: entry(
    'Read a file or standard input into a table',
    'exchange',
    () => import('./commands/import.ts'),
  ),
  ingest: entry(
    'Take a stream of records into a table',
    'exchange',
    () => import('./commands/ingest.ts'),
  ),
  init: entry('Make a repository', 'start', () => import('./commands/init.ts')),
  log: entry('Show commits', 'history', () => import('./commands/log.ts')),
  login: entry('Keep a token for a server', 'share', () => import('./commands/login.ts')),
  logout: entry('Forget the token of a server', 'share', () => import('./commands/logout.ts')),
  'ls-remote': entry('List what a remote has', 'share', () => import('./commands/ls-remote.ts')),
  'ls-tree': entry(
    'List the tables of a revision',
    'history',
    () => import('./commands/ls-tree.ts'),
  ),
  merge: entry(
    'Bring other branches into the current one',
    'branch',
    () => import('./commands/merge.ts'),
  ),
  'merge-base': entry(
    'Find where two histories part',
    'branch',
    () => import('./commands/merge-base.ts'),
  ),
  mv: entry('Rename or move a table', 'work', () => import('./commands/mv.ts')),
  pull: entry('Fetch, and merge what came', 'share', () => import('./commands/pull.ts')),
  push: entry('Send commits to a remote', 'share', () => import('./commands/push.ts')),
  rebase: entry(
    'Put the commits of a branch on top of another',
    'branch',
    () => import('./commands/rebase.ts'),
  ),
  redo: entry('Do again what was undone', 'work', () => import('./commands/redo.ts')),
  reflog: entry(
    'Show where HEAD or a branch has been',
    'history',
    () => import('./commands/reflog.ts'),
  ),
  remote: entry('List the remotes', 'share', () => import('./commands/remote.ts')),
  'remote add': entry(
    'Know another repository by a name',
    'share',
    () => import('./commands/remote-add.ts'),
  ),
  'remote prune': entry(
    'Forget branches that a remote does not have any more',
    'share',
    () => import('./commands/remote-prune.ts'),
  ),
  'remote remove': entry('Forget a remote', 'share', () => import('./commands/remote-remove.ts')),
  'remote rename': entry(
    'Give a remote another name',
    'share',
    () => import('./commands/remote-rename.ts'),
  ),
  'remote set-url': entry(
    'Give a remote another address',
    'share',
    () => import('./commands/remote-set-url.ts'),
  ),
  'remote show': entry(
    'Ask a remote what it has',
    'share',
    () => import('./commands/remote-show.ts'),
  ),
  rerere: entry(
    'Show and forget remembered resolutions of conflicts',
    'branch',
    () => import('./commands/rerere.ts'),
  ),
  reset: entry(
    'Move the branch to another commit, or unstage',
    'work',
    () => import('./commands/reset.ts'),
  ),
  resolve: entry('Settle conflicts of a merge', 'branch', () => import('./commands/resolve.ts')),
  restore: entry('Put tables back as they were', 'work', () => import('./commands/restore.ts')),
  revert: entry('Take back what commits changed', 'branch', () => import('./commands/revert.ts')),
  rm: entry('Remove tables', 'work', () => import('./commands/rm.ts')),
  rollback: entry(
    'Put a table or some rows back as they were',
    'work',
    () => import('./commands/rollback.ts'),
  ),
  serve: entry(
    'Let others clone, fetch and push over HTTP',
    'share',
    () => import('./commands/serve.ts'),
  ),
  show: entry(
    'Show a commit, a tag or a table of a commit',
    'history',
    () => import('./commands/show.ts'),
  ),
  snapshot: entry(
    'Commit files to a branch of a remote, without a clone',
    'share',
    () => import('./commands/snapshot.ts'),
  ),
  squash: entry('Thin the old history of a branch', 'upkeep', () => import('./commands/squash.ts')),
  stash: entry('Put unfinished work aside', 'work', () => import('./commands/stash-push.ts')),
  'stash apply': entry(
    'Bring back what was put aside, and keep it',
    'work',
    () => import('./commands/stash-apply.ts'),
  ),
  'stash clear': entry(
    'Forget everything put aside',
    'work',
    () => import('./commands/stash-clear.ts'),
  ),
  'stash drop': entry(
    'Forget something put aside',
    'work',
    () => import('./commands/stash-drop.ts'),
  ),
  'stash list': entry('List what is put aside', 'work', () => import('./commands/stash-list.ts')),
  'stash pop': entry(
    'Bring back what was put aside, and drop it',
    'work',
    () => import('./commands/stash-pop.ts'),
  ),
  'stash push': entry(
    'Put unfinished work aside',
    'work',
    () => import('./commands/stash-push.ts'),
  ),
  'stash show': entry('Show what was put aside', 'work', () => import('./commands/stash-show.ts')),
  status: entry(
    'Show what changed since the last commit',
    'work',
    () => import('./commands/status.ts'),
  ),
  'store stat': entry(
    'Show what the store holds and takes',
    'upkeep',
    () => import('./commands/store-stat.ts'),
  ),
  switch: entry('Go to another branch', 'branch', () => import('./commands/switch.ts')),
  'table rules': entry(
    'Show and set what decides conflicts of a table',
    'branch',
    () => import('./commands/table-rules.ts'),
  ),
  tag: entry('List, make and delete tags', 'branch', () => import('./commands/tag.ts')),
  'token create': entry(
    'Make a token and print it once',
    'share',
    () => import('./commands/token-create.ts'),
  ),
  'token list': entry(
    'List tokens, without their secrets',
    'share',
    () => import('./commands/token-list.ts'),
  ),
  'token revoke': entry('End a token at once', 'share', () => import('./commands/token-revoke.ts')),
  undo: entry('Take back the last command', 'work', () => import('./commands/undo.ts')),
  version: entry('Print the version of dv', 'setup', () => import('./commands/version.ts')),
  watch: entry('Show commits as they arrive', 'exchange', () => import('./commands/watch.ts')),
};

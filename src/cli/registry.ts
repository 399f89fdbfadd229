/** Every command of dv: its name, the line that the general help shows, where its module is. */
import type { CommandTable } from './command.ts';

export const COMMANDS: CommandTable = {
  add: {
    summary: 'Stage what changed in files for the next commit',
    group: 'work',
    load: async () => (await import('./commands/add.ts')).command,
  },
  apply: {
    summary: 'Apply the row changes of a patch',
    group: 'exchange',
    load: async () => (await import('./commands/apply.ts')).command,
  },
  bisect: {
    summary: 'Find the commit that changed something',
    group: 'history',
    load: async () => (await import('./commands/bisect.ts')).command,
  },
  'bisect bad': {
    summary: 'Say that it is broken in a commit',
    group: 'history',
    load: async () => (await import('./commands/bisect-bad.ts')).command,
  },
  'bisect good': {
    summary: 'Say that it is not broken in a commit',
    group: 'history',
    load: async () => (await import('./commands/bisect-good.ts')).command,
  },
  'bisect log': {
    summary: 'Show what was said so far',
    group: 'history',
    load: async () => (await import('./commands/bisect-log.ts')).command,
  },
  'bisect reset': {
    summary: 'End the search',
    group: 'history',
    load: async () => (await import('./commands/bisect-reset.ts')).command,
  },
  'bisect run': {
    summary: 'Let a program judge each commit',
    group: 'history',
    load: async () => (await import('./commands/bisect-run.ts')).command,
  },
  'bisect skip': {
    summary: 'Say that a commit cannot be judged',
    group: 'history',
    load: async () => (await import('./commands/bisect-skip.ts')).command,
  },
  'bisect start': {
    summary: 'Begin to look for a commit by hand',
    group: 'history',
    load: async () => (await import('./commands/bisect-start.ts')).command,
  },
  blame: {
    summary: 'Show which commit last set each row or cell',
    group: 'history',
    load: async () => (await import('./commands/blame.ts')).command,
  },
  branch: {
    summary: 'List, make, rename and delete branches',
    group: 'branch',
    load: async () => (await import('./commands/branch.ts')).command,
  },
  'bundle create': {
    summary: 'Write branches and tags into one file',
    group: 'share',
    load: async () => (await import('./commands/bundle-create.ts')).command,
  },
  'bundle unbundle': {
    summary: 'Take what a bundle holds into the repository',
    group: 'share',
    load: async () => (await import('./commands/bundle-unbundle.ts')).command,
  },
  'bundle verify': {
    summary: 'Check a bundle',
    group: 'share',
    load: async () => (await import('./commands/bundle-verify.ts')).command,
  },
  'cat-object': {
    summary: 'Show an object of the store',
    group: 'upkeep',
    load: async () => (await import('./commands/cat-object.ts')).command,
  },
  'cherry-pick': {
    summary: 'Make commits of elsewhere again here',
    group: 'branch',
    load: async () => (await import('./commands/cherry-pick.ts')).command,
  },
  clone: {
    summary: 'Copy another repository and follow it',
    group: 'share',
    load: async () => (await import('./commands/clone.ts')).command,
  },
  commit: {
    summary: 'Record what is staged',
    group: 'work',
    load: async () => (await import('./commands/commit.ts')).command,
  },
  completion: {
    summary: 'Print a script that completes dv commands in your shell',
    group: 'setup',
    load: async () => (await import('./commands/completion.ts')).completionCommand(COMMANDS),
  },
  config: {
    summary: 'Read and change settings',
    group: 'setup',
    load: async () => (await import('./commands/config.ts')).command,
  },
  conflicts: {
    summary: 'Show what a merge left to decide',
    group: 'branch',
    load: async () => (await import('./commands/conflicts.ts')).command,
  },
  diff: {
    summary: 'Show which rows differ',
    group: 'history',
    load: async () => (await import('./commands/diff.ts')).command,
  },
  export: {
    summary: 'Write a table to a file or standard output',
    group: 'exchange',
    load: async () => (await import('./commands/export.ts')).command,
  },
  fetch: {
    summary: 'Bring what a remote has and you have not',
    group: 'share',
    load: async () => (await import('./commands/fetch.ts')).command,
  },
  fsck: {
    summary: 'Check every object and what refers to it',
    group: 'upkeep',
    load: async () => (await import('./commands/fsck.ts')).command,
  },
  gc: {
    summary: 'Remove what nothing refers to any more',
    group: 'upkeep',
    load: async () => (await import('./commands/gc.ts')).command,
  },
  hash: {
    summary: 'Print the hash of a table',
    group: 'history',
    load: async () => (await import('./commands/hash.ts')).command,
  },
  help: {
    summary: 'Show what dv can do, or how a command works',
    group: 'setup',
    load: async () => (await import('./commands/help.ts')).helpCommand(COMMANDS),
  },
  history: {
    summary: 'Show every version of one row',
    group: 'history',
    load: async () => (await import('./commands/history.ts')).command,
  },
  import: {
    summary: 'Read a file or standard input into a table',
    group: 'exchange',
    load: async () => (await import('./commands/import.ts')).command,
  },
  ingest: {
    summary: 'Take a stream of records into a table',
    group: 'exchange',
    load: async () => (await import('./commands/ingest.ts')).command,
  },
  init: {
    summary: 'Make a repository',
    group: 'start',
    load: async () => (await import('./commands/init.ts')).command,
  },
  log: {
    summary: 'Show commits',
    group: 'history',
    load: async () => (await import('./commands/log.ts')).command,
  },
  login: {
    summary: 'Keep a token for a server',
    group: 'share',
    load: async () => (await import('./commands/login.ts')).command,
  },
  logout: {
    summary: 'Forget the token of a server',
    group: 'share',
    load: async () => (await import('./commands/logout.ts')).command,
  },
  'ls-remote': {
    summary: 'List what a remote has',
    group: 'share',
    load: async () => (await import('./commands/ls-remote.ts')).command,
  },
  'ls-tree': {
    summary: 'List the tables of a revision',
    group: 'history',
    load: async () => (await import('./commands/ls-tree.ts')).command,
  },
  merge: {
    summary: 'Bring other branches into the current one',
    group: 'branch',
    load: async () => (await import('./commands/merge.ts')).command,
  },
  'merge-base': {
    summary: 'Find where two histories part',
    group: 'branch',
    load: async () => (await import('./commands/merge-base.ts')).command,
  },
  mv: {
    summary: 'Rename or move a table',
    group: 'work',
    load: async () => (await import('./commands/mv.ts')).command,
  },
  pull: {
    summary: 'Fetch, and merge what came',
    group: 'share',
    load: async () => (await import('./commands/pull.ts')).command,
  },
  push: {
    summary: 'Send commits to a remote',
    group: 'share',
    load: async () => (await import('./commands/push.ts')).command,
  },
  rebase: {
    summary: 'Put the commits of a branch on top of another',
    group: 'branch',
    load: async () => (await import('./commands/rebase.ts')).command,
  },
  redo: {
    summary: 'Do again what was undone',
    group: 'work',
    load: async () => (await import('./commands/redo.ts')).command,
  },
  reflog: {
    summary: 'Show where HEAD or a branch has been',
    group: 'history',
    load: async () => (await import('./commands/reflog.ts')).command,
  },
  remote: {
    summary: 'List the remotes',
    group: 'share',
    load: async () => (await import('./commands/remote.ts')).command,
  },
  'remote add': {
    summary: 'Know another repository by a name',
    group: 'share',
    load: async () => (await import('./commands/remote-add.ts')).command,
  },
  'remote prune': {
    summary: 'Forget branches that a remote does not have any more',
    group: 'share',
    load: async () => (await import('./commands/remote-prune.ts')).command,
  },
  'remote remove': {
    summary: 'Forget a remote',
    group: 'share',
    load: async () => (await import('./commands/remote-remove.ts')).command,
  },
  'remote rename': {
    summary: 'Give a remote another name',
    group: 'share',
    load: async () => (await import('./commands/remote-rename.ts')).command,
  },
  'remote set-url': {
    summary: 'Give a remote another address',
    group: 'share',
    load: async () => (await import('./commands/remote-set-url.ts')).command,
  },
  'remote show': {
    summary: 'Ask a remote what it has',
    group: 'share',
    load: async () => (await import('./commands/remote-show.ts')).command,
  },
  rerere: {
    summary: 'Show and forget remembered resolutions of conflicts',
    group: 'branch',
    load: async () => (await import('./commands/rerere.ts')).command,
  },
  reset: {
    summary: 'Move the branch to another commit, or unstage',
    group: 'work',
    load: async () => (await import('./commands/reset.ts')).command,
  },
  resolve: {
    summary: 'Settle conflicts of a merge',
    group: 'branch',
    load: async () => (await import('./commands/resolve.ts')).command,
  },
  restore: {
    summary: 'Put tables back as they were',
    group: 'work',
    load: async () => (await import('./commands/restore.ts')).command,
  },
  revert: {
    summary: 'Take back what commits changed',
    group: 'branch',
    load: async () => (await import('./commands/revert.ts')).command,
  },
  rm: {
    summary: 'Remove tables',
    group: 'work',
    load: async () => (await import('./commands/rm.ts')).command,
  },
  rollback: {
    summary: 'Put a table or some rows back as they were',
    group: 'work',
    load: async () => (await import('./commands/rollback.ts')).command,
  },
  serve: {
    summary: 'Let others clone, fetch and push over HTTP',
    group: 'share',
    load: async () => (await import('./commands/serve.ts')).command,
  },
  show: {
    summary: 'Show a commit, a tag or a table of a commit',
    group: 'history',
    load: async () => (await import('./commands/show.ts')).command,
  },
  stash: {
    summary: 'Put unfinished work aside',
    group: 'work',
    load: async () => (await import('./commands/stash-push.ts')).command,
  },
  'stash apply': {
    summary: 'Bring back what was put aside, and keep it',
    group: 'work',
    load: async () => (await import('./commands/stash-apply.ts')).command,
  },
  'stash clear': {
    summary: 'Forget everything put aside',
    group: 'work',
    load: async () => (await import('./commands/stash-clear.ts')).command,
  },
  'stash drop': {
    summary: 'Forget something put aside',
    group: 'work',
    load: async () => (await import('./commands/stash-drop.ts')).command,
  },
  'stash list': {
    summary: 'List what is put aside',
    group: 'work',
    load: async () => (await import('./commands/stash-list.ts')).command,
  },
  'stash pop': {
    summary: 'Bring back what was put aside, and drop it',
    group: 'work',
    load: async () => (await import('./commands/stash-pop.ts')).command,
  },
  'stash push': {
    summary: 'Put unfinished work aside',
    group: 'work',
    load: async () => (await import('./commands/stash-push.ts')).command,
  },
  'stash show': {
    summary: 'Show what was put aside',
    group: 'work',
    load: async () => (await import('./commands/stash-show.ts')).command,
  },
  status: {
    summary: 'Show what changed since the last commit',
    group: 'work',
    load: async () => (await import('./commands/status.ts')).command,
  },
  'store stat': {
    summary: 'Show what the store holds and takes',
    group: 'upkeep',
    load: async () => (await import('./commands/store-stat.ts')).command,
  },
  switch: {
    summary: 'Go to another branch',
    group: 'branch',
    load: async () => (await import('./commands/switch.ts')).command,
  },
  'table rules': {
    summary: 'Show and set what decides conflicts of a table',
    group: 'branch',
    load: async () => (await import('./commands/table-rules.ts')).command,
  },
  tag: {
    summary: 'List, make and delete tags',
    group: 'branch',
    load: async () => (await import('./commands/tag.ts')).command,
  },
  'token create': {
    summary: 'Make a token and print it once',
    group: 'share',
    load: async () => (await import('./commands/token-create.ts')).command,
  },
  'token list': {
    summary: 'List tokens, without their secrets',
    group: 'share',
    load: async () => (await import('./commands/token-list.ts')).command,
  },
  'token revoke': {
    summary: 'End a token at once',
    group: 'share',
    load: async () => (await import('./commands/token-revoke.ts')).command,
  },
  undo: {
    summary: 'Take back the last command',
    group: 'work',
    load: async () => (await import('./commands/undo.ts')).command,
  },
  version: {
    summary: 'Print the version of dv',
    group: 'setup',
    load: async () => (await import('./commands/version.ts')).command,
  },
  watch: {
    summary: 'Show commits as they arrive',
    group: 'exchange',
    load: async () => (await import('./commands/watch.ts')).command,
  },
};

/**
 * `dv status` for people: git's sections, with counts of rows for what is staged. Names are
 * written as the commands take them where the user stands.
 */
import { join, relative } from 'node:path';
import type { Repository } from '../../porcelain/repository.ts';
import type {
  MergeStatus,
  SequenceStatus,
  Status,
  StatusChange,
  StatusEntry,
} from '../../porcelain/status.ts';
import type { Context } from '../context.ts';
import { shortHash } from './commit-parts.ts';
import { formatCount } from './count.ts';
import type { Role } from './paint.ts';
import { countPhrase } from './row-counts.ts';
import { renderTrackingLines } from './tracking.ts';
import { displayWidth, pad } from './width.ts';

type Style = Pick<Context, 'paint' | 'shownLine'>;
type Place = Pick<Repository, 'worktree' | 'cwd'>;

const INDENT = ' '.repeat(8);
const LABELS: Readonly<Record<StatusChange, string>> = {
  added: 'new table:',
  modified: 'modified:',
  removed: 'deleted:',
};
const LABEL_WIDTH = 13;

export function renderStatus(status: Status, style: Style, place: Place): string {
  const { staged, unstaged, untracked } = status;
  const lines = renderHead(status, style);
  if (staged.length > 0) {
    lines.push('Changes to be committed:', '  (use "dv restore --staged FILE..." to unstage)');
    lines.push(...renderEntries(staged, style, place, style.paint.added), '');
  }
  if (unstaged.length > 0) {
    const gone = unstaged.some(({ change }) => change === 'removed') ? '/rm' : '';
    lines.push(
      'Changes not staged for commit:',
      `  (use "dv add${gone} FILE..." to update what will be committed)`,
      '  (use "dv restore FILE..." to throw changes away)',
      ...renderEntries(unstaged, style, place, style.paint.removed),
      '',
    );
  }
  if (untracked.length > 0) {
    lines.push('Untracked files:', '  (use "dv add FILE..." to include in what will be committed)');
    for (const name of untracked) {
      lines.push(INDENT + style.paint.removed(style.shownLine(shownPath(place, name))));
    }
    lines.push('');
  }
  const foot = renderFoot(status);
  return [...lines, ...(foot === '' ? [] : [foot])].join('\n').replace(/\n*$/, '\n');
}

function renderHead(status: Status, { paint, shownLine }: Style): string[] {
  const { branch, commit, merge, sequence, bisecting, tracking, shallow, partial } = status;
  const at = commit === null ? '' : shortHash(commit);
  const lines = [
    branch === null
      ? `${paint.removed('HEAD detached at')} ${at}`
      : `On branch ${shownLine(branch)}`,
  ];
  if (tracking !== undefined) lines.push(...renderTrackingLines(tracking).map(shownLine));
  if (shallow !== undefined) {
    lines.push('The history is cut off (use "dv fetch --unshallow" to bring the rest)');
  }
  if (partial !== undefined) {
    const tables = partial.tables.join(', ');
    lines.push(shownLine(`Only ${tables} came along; others are fetched when needed`));
  }
  if (commit === null) lines.push('', 'No commits yet');
  if (merge !== undefined) lines.push(...renderMerge(merge, { paint, shownLine }));
  else if (sequence !== undefined) lines.push(...renderSequence(sequence));
  if (bisecting) {
    lines.push(
      'You are bisecting.',
      '  ("dv bisect good" or "bad" goes on, "dv bisect reset" ends it)',
    );
  }
  return [...lines, ''];
}

const DOING: Readonly<Record<MergeStatus['operation'], string>> = {
  merge: 'merging',
  'cherry-pick': 'picking',
  revert: 'reverting',
  rebase: 'rebasing, and stopped at',
  stash: 'applying the stash',
};

/** One that stopped without conflicts, or whose conflicts were committed. */
function renderSequence({ operation, stoppedAt, isEdit, left }: SequenceStatus): string[] {
  const doing = operation === 'rebase' ? 'rebasing' : DOING[operation];
  const at = isEdit ? `, and stopped to edit ${shortHash(stoppedAt)}` : '';
  const more = left === 0 ? 'no commit is left' : `${formatCount(left, 'commits')} to go`;
  return [
    `You are ${doing}${at}; ${more}.`,
    `  ("dv ${operation} --continue" goes on, "dv ${operation} --abort" goes back)`,
  ];
}

function renderMerge({ operation, theirs, conflicts }: MergeStatus, style: Style): string[] {
  const { paint, shownLine } = style;
  const head = `You are ${DOING[operation]} ${shownLine(theirs)}.`;
  const isMerge = operation === 'merge' || operation === 'stash';
  const ends = isMerge ? 'dv merge --abort' : `dv ${operation} --abort`;
  const goes = isMerge ? 'dv commit' : `dv ${operation} --continue`;
  if (conflicts.length === 0) {
    return [head, `  (all conflicts are resolved: "${goes}" goes on)`];
  }
  const width = Math.max(...conflicts.map(({ table }) => displayWidth(shownLine(table))));
  return [
    head,
    `  ("dv conflicts" shows what is left, "dv resolve" settles it, "${ends}" goes back)`,
    ...conflicts.map(({ table, conflicts: left }) => {
      const name = pad(shownLine(table), width);
      return INDENT + paint.removed(`${name}  ${formatCount(left, 'conflicts')}`);
    }),
  ];
}

function renderEntries(
  entries: readonly StatusEntry[],
  { paint, shownLine }: Style,
  place: Place,
  role: Role,
): string[] {
  const names = entries.map(({ table }) => shownLine(shownPath(place, table)));
  const width = Math.max(...names.map(displayWidth));
  return entries.map(({ kind, change, rows }, i) => {
    const label = kind === 'file' && change === 'added' ? 'new file:' : LABELS[change];
    const counts = rows === undefined ? '' : countPhrase(rows, paint);
    const behind =
      counts === '' ? '' : `${' '.repeat(width - displayWidth(names[i]))}  (${counts})`;
    return `${INDENT}${role(label.padEnd(LABEL_WIDTH) + names[i])}${behind}`;
  });
}

function renderFoot({ commit, staged, unstaged, untracked, merge }: Status): string {
  if (merge !== undefined) return '';
  if (staged.length > 0) return '';
  if (unstaged.length > 0) {
    return 'no changes added to commit (use "dv add" and/or "dv commit -a")';
  }
  if (untracked.length > 0) {
    return 'nothing added to commit but untracked files present (use "dv add" to track)';
  }
  return commit === null
    ? 'nothing to commit (create/copy files and use "dv add" to track)'
    : 'nothing to commit, working tree clean';
}

/** The path of a table, or of a directory with a `/` behind it, from where the user stands. */
export function shownPath({ worktree, cwd }: Place, name: string): string {
  if (worktree === cwd) return name;
  const path = relative(cwd, join(worktree, name)) || '.';
  return name.endsWith('/') ? `${path}/` : path;
}

/**
 * `.dvignore`: which files `add` and `status` pass over, in the syntax of gitignore(5):
 * `#` comments, `!` takes back, a trailing `/` names directories only, a `/` elsewhere
 * anchors at the file's own directory, `*` `?` `[...]` stay within a segment, `**` does not.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Rule {
  readonly pattern: RegExp;
  readonly negated: boolean;
  readonly directoryOnly: boolean;
}

export type Ignores = (name: string, isDirectory: boolean) => boolean;

function translate(glob: string): string {
  let source = '';
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i];
    if (glob.startsWith('**/', i)) {
      source += '(?:.*/)?';
      i += 2;
    } else if (glob.startsWith('**', i)) {
      source += '.*';
      i += 1;
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[' && glob.indexOf(']', i + 2) > 0) {
      const end = glob.indexOf(']', i + 2);
      source += `[${glob
        .slice(i + 1, end)
        .replace(/^!/, '^')
        .replace(/\\/g, '\\\\')}]`;
      i = end;
    } else if (char === '\\' && i + 1 < glob.length) source += quote(glob[++i]);
    else source += quote(char);
  }
  return source;
}

const quote = (char: string): string => char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

function parseRule(line: string): Rule | undefined {
  let glob = line.replace(/(?<!\\)\s+$/, '');
  if (glob === '' || glob.startsWith('#')) return undefined;
  const negated = glob.startsWith('!');
  if (negated) glob = glob.slice(1);
  const directoryOnly = glob.endsWith('/');
  if (directoryOnly) glob = glob.slice(0, -1);
  const anchored = glob.includes('/');
  const body = translate(glob.replace(/^\//, ''));
  return {
    pattern: new RegExp(`^${anchored ? '' : '(?:.*/)?'}${body}$`, 'u'),
    negated,
    directoryOnly,
  };
}

/** Parses the text of a `.dvignore`; the last rule that matches decides. */
export function parseIgnores(text: string): Ignores {
  const rules = text.split(/\r?\n/).flatMap((line) => parseRule(line) ?? []);
  return (name, isDirectory) => {
    let ignored = false;
    for (const rule of rules) {
      if (rule.directoryOnly && !isDirectory) continue;
      if (rule.pattern.test(name)) ignored = !rule.negated;
    }
    return ignored;
  };
}

/** The rules of the worktree's `.dvignore`; none when there is no such file. */
export function readIgnores(worktree: string): Ignores {
  try {
    return parseIgnores(readFileSync(join(worktree, '.dvignore'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return () => false;
    throw error;
  }
}

/** What a fetch or a push did to refs, in git's lines. */
import type { Hash } from '../../hash.ts';
import { shortRefName } from '../../model/names.ts';
import type { FetchedRef, FetchResult } from '../../porcelain/fetch.ts';
import type { PushedRef, PushResult } from '../../porcelain/push.ts';
import type { Context } from '../context.ts';
import { shortHash } from './commit-parts.ts';
import { displayWidth, pad } from './width.ts';

type Style = Pick<Context, 'shownLine'>;

interface Line {
  readonly mark: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

const range = (from: Hash | null, to: Hash | null, dots: string): string =>
  `${from === null ? '' : shortHash(from)}${dots}${to === null ? '' : shortHash(to)}`;

/** Empty when nothing moved. */
export function renderFetched({ url, refs }: FetchResult, style: Style): string {
  const lines = refs.filter(({ outcome }) => outcome !== 'up-to-date').map(fetchedLine);
  return renderLines(`From ${url}`, lines, style);
}

function fetchedLine({ source, target, old, hash, outcome }: FetchedRef): Line {
  const from = source === null ? '(none)' : shortRefName(source);
  const to = target !== null ? shortRefName(target) : hash === null ? '' : shortHash(hash);
  const kind = source?.startsWith('refs/tags/') ? 'tag' : 'branch';
  const line = { from, to, mark: ' ', why: '' };
  switch (outcome) {
    case 'new':
      return target === null
        ? { ...line, mark: '*', what: kind }
        : { ...line, mark: '*', what: `[new ${kind}]` };
    case 'forced':
      return { ...line, mark: '+', what: range(old, hash, '...'), why: '(forced update)' };
    case 'rejected':
      return { ...line, mark: '!', what: '[rejected]', why: '(not a fast-forward)' };
    case 'current':
      return { ...line, mark: '!', what: '[rejected]', why: '(it is checked out)' };
    case 'deleted':
      return { ...line, mark: '-', what: '[deleted]' };
    case 'updated':
      return { ...line, mark: kind === 'tag' ? 't' : ' ', what: range(old, hash, '..') };
    case 'up-to-date':
      return { ...line, mark: '=', what: '[up to date]' };
  }
}

export function renderPushed({ url, refs }: PushResult, style: Style): string {
  const shown = refs.filter(({ outcome }) => outcome !== 'up-to-date');
  if (shown.length === 0) return 'Everything up-to-date';
  return renderLines(`To ${url}`, shown.map(pushedLine), style);
}

function pushedLine({ source, target, old, hash, outcome, reason }: PushedRef): Line {
  const to = shortRefName(target);
  const from = source === null ? '' : shortRefName(source);
  const kind = target.startsWith('refs/tags/') ? 'tag' : 'branch';
  const line = { from, to, mark: ' ', why: '' };
  switch (outcome) {
    case 'new':
      return { ...line, mark: '*', what: `[new ${kind}]` };
    case 'forced':
      return { ...line, mark: '+', what: range(old, hash, '...'), why: '(forced update)' };
    case 'deleted':
      return { ...line, mark: '-', what: '[deleted]' };
    case 'merged':
      return { ...line, mark: 'm', what: range(old, hash, '..'), why: '(merged there)' };
    case 'refused':
      return { ...line, mark: '!', what: '[refused]', why: `(${reason?.message ?? ''})` };
    case 'updated':
      return { ...line, what: range(old, hash, '..') };
    case 'up-to-date':
      return { ...line, mark: '=', what: '[up to date]' };
  }
}

function renderLines(head: string, lines: readonly Line[], { shownLine }: Style): string {
  if (lines.length === 0) return '';
  const whats = Math.max(17, ...lines.map(({ what }) => displayWidth(what)));
  const froms = Math.max(10, ...lines.map(({ from }) => displayWidth(from)));
  const rows = lines.map(({ mark, what, from, to, why }) => {
    const names = from === '' ? to : `${pad(from, froms)} -> ${to}`;
    return ` ${mark} ${pad(what, whats)} ${names} ${why}`.trimEnd();
  });
  return [head, ...rows].map(shownLine).join('\n');
}

/** How far a branch is from the one it follows, in git's words. */
import type { Tracking } from '../../porcelain/tracking.ts';
import { formatCount } from './count.ts';

/** `origin/main: ahead 2, behind 1`, as `branch -vv` has it. */
export function renderTracking({ upstream, ahead = 0, behind = 0, gone }: Tracking): string {
  const parts = [
    ...(gone ? ['gone'] : []),
    ...(ahead > 0 ? [`ahead ${ahead}`] : []),
    ...(behind > 0 ? [`behind ${behind}`] : []),
  ];
  return parts.length === 0 ? upstream : `${upstream}: ${parts.join(', ')}`;
}

/** The lines of `status`. */
export function renderTrackingLines({ upstream, ahead, behind, gone }: Tracking): string[] {
  if (gone) return [`Your branch follows '${upstream}', which is gone.`];
  if (ahead === undefined || behind === undefined) return [`Your branch follows '${upstream}'.`];
  if (ahead === 0 && behind === 0) return [`Your branch is up to date with '${upstream}'.`];
  if (behind === 0) {
    return [
      `Your branch is ahead of '${upstream}' by ${formatCount(ahead, 'commits')}.`,
      '  (use "dv push" to publish them)',
    ];
  }
  if (ahead === 0) {
    return [
      `Your branch is behind '${upstream}' by ${formatCount(behind, 'commits')}, and can be fast-forwarded.`,
      '  (use "dv pull" to update it)',
    ];
  }
  return [
    `Your branch and '${upstream}' have parted: ${ahead} and ${behind} commits of their own.`,
    '  (use "dv pull" to bring both together)',
  ];
}

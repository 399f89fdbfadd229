/** How `dv watch` writes an event: one of these a format, in the table in watch-formats.ts. */
import type { FeedEvent, FeedSource } from '../../live/contract.ts';
import type { Paint } from '../render/paint.ts';

export interface FormatScene {
  readonly source: FeedSource;
  readonly tables: readonly string[];
  /** An SQL condition: only rows that match, and commits that have some. */
  readonly where: string | undefined;
  readonly paint: Paint;
  /** Repository text that is safe to print on one line. */
  readonly shownLine: (text: string) => string;
}

export interface WatchFormat {
  /** For the help. */
  readonly summary: string;
  /** Whether it wants events with row counts. */
  readonly counts: boolean;
  /** What is written for an event, in pieces; nothing: the event is passed over. */
  render(event: FeedEvent, scene: FormatScene): AsyncIterable<string>;
}

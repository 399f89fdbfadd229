/**
 * What a repository needs of the world outside, handed in so that nothing below the CLI
 * reads the clock, the environment or a terminal by itself.
 */

/** One step of long work. `total` undefined: not known. */
export interface Progress {
  readonly label: string;
  readonly done: number;
  readonly total: number | undefined;
  readonly unit: 'bytes' | 'rows' | 'objects' | 'files';
  /** What else there is to say; it may change from step to step. */
  readonly detail?: string;
}

export interface Environment {
  /** ms since the epoch. */
  readonly now: () => number;
  /** Offset of local time from UTC in minutes, east positive. */
  readonly zone: () => number;
  /** 16 random hex digits: names of temporary files, the id of a new repository's node. */
  readonly randomId: () => string;
  /** Environment variables (`DV_AUTHOR_NAME`, `DV_AUTHOR_EMAIL`). */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Path of the user-level configuration file. */
  readonly userConfig: string | undefined;
  /** Who holds a lock: process id, host and command. */
  readonly owner: string;
  readonly isAlive: (pid: number) => boolean;
  /** How long to wait for a lock, in ms. */
  readonly lockTimeout: number;
  readonly report: (progress: Progress) => void;
  /** Such as `dv 0.1.0`: what dv calls itself to servers. */
  readonly software?: string;
  /** Standard input, for the file name `-`. */
  readonly stdin?: () => AsyncIterable<Uint8Array>;
}

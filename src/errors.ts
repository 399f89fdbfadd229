/**
 * The one error class and the one table of codes. A code's kind decides the exit
 * status; the same object is the `--json` error. Every layer throws `DvError` for
 * anything a person can cause; anything else that escapes is a bug (kind `internal`).
 */

export type ErrorKind = 'usage' | 'refused' | 'remote' | 'corrupt' | 'internal';

/** Exit status of each kind (0 is done; 1 is done and the answer is no). */
export const EXIT_STATUS: Readonly<Record<ErrorKind, number>> = {
  usage: 2,
  refused: 3,
  remote: 4,
  corrupt: 5,
  internal: 70,
};

/** Every code dv can report, with its kind. `docs/errors.md` is checked against it. */
export const ERROR_KINDS = {
  // usage: the command line is wrong
  'bad-option': 'usage',
  'unknown-command': 'usage',
  'bad-revision': 'usage',
  'ambiguous-hash': 'usage',
  'bad-name': 'usage',
  'bad-condition': 'usage',
  'bad-date': 'usage',
  'unknown-table': 'usage',
  'unknown-column': 'usage',
  'unknown-row': 'usage',
  'unknown-format': 'usage',
  'unknown-ref': 'usage',
  'unknown-rule': 'usage',
  'not-a-repository': 'usage',
  'not-a-terminal': 'usage',
  'no-author': 'usage',
  'no-message': 'usage',
  'unknown-token': 'usage',
  'unknown-remote': 'usage',
  'no-upstream': 'usage',
  // refused: the repository or the data says no; nothing changed
  'already-exists': 'refused',
  'nothing-to-commit': 'refused',
  'unsaved-changes': 'refused',
  'no-commits': 'refused',
  'ref-moved': 'refused',
  locked: 'refused',
  'read-only': 'refused',
  'disk-full': 'refused',
  'not-merged': 'refused',
  'merge-in-progress': 'refused',
  'no-merge': 'refused',
  'sequence-in-progress': 'refused',
  'no-sequence': 'refused',
  'nothing-to-undo': 'refused',
  'no-stash': 'refused',
  'no-bisect': 'refused',
  'bad-bisect': 'refused',
  'merge-commit': 'refused',
  'bad-plan': 'refused',
  'conflicts-left': 'refused',
  'no-such-conflict': 'refused',
  'bad-resolution': 'refused',
  'unrelated-histories': 'refused',
  'not-fast-forward': 'refused',
  'patch-mismatch': 'refused',
  'name-collision': 'refused',
  'file-missing': 'refused',
  'file-unreadable': 'refused',
  'file-unwritable': 'refused',
  'file-is-directory': 'refused',
  'file-changed': 'refused',
  'file-empty': 'refused',
  'duplicate-key': 'refused',
  'null-key': 'refused',
  'key-too-long': 'refused',
  'ragged-line': 'refused',
  'unterminated-quote': 'refused',
  'bad-quote': 'refused',
  'invalid-utf8': 'refused',
  'nul-byte': 'refused',
  'bad-header': 'refused',
  'bad-config': 'refused',
  'bad-json': 'refused',
  'bad-parquet': 'refused',
  'bad-compression': 'refused',
  'bad-patch': 'refused',
  'column-vanished': 'refused',
  'record-too-large': 'refused',
  'too-many-columns': 'refused',
  'type-mismatch': 'refused',
  'rule-mismatch': 'refused',
  'unmappable-character': 'refused',
  'missing-package': 'refused',
  'offsets-moved': 'refused',
  'bad-cursor': 'refused',
  'clock-ahead': 'refused',
  'command-failed': 'refused',
  // remote: the network, or the other side says no
  'remote-unreachable': 'remote',
  'connection-lost': 'remote',
  'not-dv': 'remote',
  'protocol-mismatch': 'remote',
  'bad-pack': 'remote',
  unauthorized: 'remote',
  forbidden: 'remote',
  'unknown-repository': 'remote',
  'limit-exceeded': 'remote',
  'push-refused': 'remote',
  'server-failed': 'remote',
  'bad-request': 'remote',
  'unknown-route': 'remote',
  'unknown-session': 'remote',
  unavailable: 'remote',
  // corrupt: stored bytes are wrong or from a newer dv
  corrupt: 'corrupt',
  'missing-object': 'corrupt',
  'newer-format': 'corrupt',
  // internal: our fault
  bug: 'internal',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

export interface ErrorOptions {
  /** What to type next. */
  readonly hint?: string;
  /** Facts for programs: file, line (1-based), column (1-based, in cells), value, ... */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class DvError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DvError';
    this.code = code;
    this.hint = options.hint;
    this.data = options.data ?? {};
  }

  get kind(): ErrorKind {
    return ERROR_KINDS[this.code];
  }

  get exitStatus(): number {
    return EXIT_STATUS[this.kind];
  }

  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(Object.keys(this.data).length === 0 ? {} : { data: this.data }),
    };
  }
}

/** An invariant of dv's own that does not hold: always a defect of dv. */
export function bug(message: string): DvError {
  return new DvError('bug', message);
}

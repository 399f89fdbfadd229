/**
 * A log for people, entry by entry: each commit, the rows it changed where they were
 * counted, and to the left the graph where one is drawn.
 */
import type { LogEntry } from '../../porcelain/log.ts';
import { type CommitStyle, renderCommit } from './commit-text.ts';
import { type GraphRow, LogGraph } from './log-graph.ts';
import { renderSummary } from './row-counts.ts';

export class LogText {
  readonly #style: CommitStyle & { readonly context: Parameters<typeof renderSummary>[1] };
  readonly #graph: LogGraph | undefined;
  /** Whether a commit takes several lines, and so an empty one before the next. */
  readonly #spaced: boolean;
  /** Stands to the left of the empty line before the next commit; undefined: no commit yet. */
  #padding: string | undefined;

  constructor(style: CommitStyle, graph: boolean) {
    this.#style = style;
    this.#graph = graph ? new LogGraph() : undefined;
    this.#spaced = style.format !== 'oneline' && typeof style.format === 'string';
  }

  /** The lines of the next entry; of one that only a graph needs, often none. */
  next(entry: LogEntry): string {
    if (!entry.matches) {
      return (this.#graph?.pass(entry.hash, entry.parents) ?? []).map((l) => `${l}\n`).join('');
    }
    const row = this.#graph?.next(entry.hash, entry.parents);
    const between = this.#spaced ? this.#padding : row?.above;
    const gap = between === undefined ? '' : `${between}\n`;
    this.#padding = row?.padding ?? '';
    const lines = this.#linesOf(entry);
    return gap + (row === undefined ? `${lines.join('\n')}\n` : this.#beside(row, lines));
  }

  #linesOf({ hash, commit, summary }: LogEntry): string[] {
    const lines = renderCommit(hash, commit, this.#style).split('\n');
    if (summary === undefined) return lines;
    const counts = renderSummary(summary, this.#style.context);
    if (counts === '') return lines;
    return [...lines, ...(this.#spaced ? [''] : []), ...counts.trimEnd().split('\n')];
  }

  #beside({ commit, links, padding }: GraphRow, lines: readonly string[]): string {
    const drawn = [commit, ...links];
    while (drawn.length < lines.length) drawn.push(padding);
    const width = Math.max(padding.length, ...drawn.map((line) => line.length));
    return drawn
      .map((left, i) => {
        const blanks = ' '.repeat(width - left.length);
        return `${`${this.#paint(left)}${blanks} ${lines[i] ?? ''}`.trimEnd()}\n`;
      })
      .join('');
  }

  #paint(left: string): string {
    const { paint } = this.#style.context;
    return left
      .split('*')
      .map((lanes) => (lanes === '' ? '' : paint.dim(lanes)))
      .join(paint.strong('*'));
  }
}

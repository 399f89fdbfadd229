/**
 * The lines to the left of `log --graph`: what is connected with what. Pure: it is told the
 * commits, children before parents, and gives the lines of each.
 *
 * A lane is a line that runs down to a commit not shown yet; lane k is drawn in column 2k.
 * Below a commit
 *
 *   1. its lane goes on to its first parent, or ends where it has none;
 *   2. for each other parent a lane opens to the right (`|\`), or the edge goes to the lane
 *      beside it that leads there already (`|\|`, `|/|`);
 *   3. a lane that leads where one to the left of it leads joins that one (`|/`, `|_|/`).
 *
 * Lanes further right move along, and so are never more than there are lines.
 */

export interface GraphRow {
  /**
   * A line for where nothing else stands between the commits: this one begins a line where
   * another one has just ended.
   */
  readonly above: string | undefined;
  /** The line of the commit: `| * |`. */
  readonly commit: string;
  /** Lines that connect it with what follows. */
  readonly links: readonly string[];
  /** A line between the commit and the next, for more text: `| | |`. */
  readonly padding: string;
}

export class LogGraph {
  #lanes: string[] = [];
  /** The lane that ended below the last commit without a link to show it. */
  #ended: number | undefined;

  /** The next commit. `parents`: those that the log comes to. */
  next(hash: string, parents: readonly string[]): GraphRow {
    const before = this.#draw();
    const at = this.#laneOf(hash);
    const above = at === this.#ended ? before : undefined;
    const commit = this.#lanes.map((_, lane) => (lane === at ? '*' : '|')).join(' ');
    const links = this.#follow(at, parents);
    return { above, commit, links, padding: this.#draw() };
  }

  /** A commit that is not shown: its line goes through. */
  pass(hash: string, parents: readonly string[]): readonly string[] {
    // A line that begins at a hidden commit begins at the first shown one below it.
    return this.#lanes.includes(hash) ? this.#follow(this.#laneOf(hash), parents) : [];
  }

  #laneOf(hash: string): number {
    const lane = this.#lanes.indexOf(hash);
    return lane >= 0 ? lane : this.#lanes.push(hash) - 1;
  }

  #follow(at: number, parents: readonly string[]): string[] {
    const [first, ...others] = new Set(parents);
    this.#ended = undefined;
    if (first === undefined) return this.#end(at);
    this.#lanes[at] = first;
    let fan = at;
    const links = others.map((parent) => {
      if (this.#lanes[fan + 1] === parent) return this.#draw([[fan * 2 + 1, '\\']]);
      if (fan === at && at > 0 && this.#lanes[at - 1] === parent) {
        return this.#draw([[at * 2 - 1, '/']]);
      }
      return this.#open(fan++, parent);
    });
    return [...links, ...this.#join()];
  }

  /** All lanes, and the marks at the given columns. */
  #draw(marks: readonly (readonly [column: number, mark: string])[] = []): string {
    const line = this.#lanes
      .map(() => '|')
      .join(' ')
      .split('');
    for (const [column, mark] of marks) line[column] = mark;
    return line.join('');
  }

  #open(fan: number, parent: string): string {
    const right = this.#lanes.length - fan - 1;
    this.#lanes.splice(fan + 1, 0, parent);
    return [
      '|'
        .repeat(fan + 1)
        .split('')
        .join(' '),
      '\\',
      ' \\'.repeat(right),
    ].join('');
  }

  #end(at: number): string[] {
    const right = this.#lanes.length - at - 1;
    this.#lanes.splice(at, 1);
    if (right === 0) {
      this.#ended = at;
      return [];
    }
    return [`${'| '.repeat(at)} ${'/ '.repeat(right)}`.trimEnd()];
  }

  #join(): string[] {
    const links: string[] = [];
    for (;;) {
      const from = this.#lanes.findIndex((hash, lane) => this.#lanes.indexOf(hash) < lane);
      if (from < 0) return links;
      const to = this.#lanes.indexOf(this.#lanes[from]);
      const right = this.#lanes.length - from - 1;
      const across = '|_'.repeat(from - to - 1);
      links.push(`${'| '.repeat(to)}${across}|/${' /'.repeat(right)}`);
      this.#lanes.splice(from, 1);
    }
  }
}

/**
 * `dv token list`. JSON, one a line:
 * `{"id","kind","name","repositories","created","expires","lastUsed","expired"}`.
 */
import { type ListedToken, listTokens, tokenFile } from '../../porcelain/token-file.ts';
import type { CommandModule } from '../command.ts';
import { displayWidth, pad } from '../render/width.ts';

const HEAD = ['id', 'kind', 'name', 'repositories', 'expires', 'last used'];

export const command: CommandModule = {
  declare(command) {
    command.description(
      'List the tokens of what dv serve serves from this directory. When one was last used is ' +
        'known to about five minutes.',
    );
  },
  async run(context) {
    const tokens = listTokens(tokenFile(context.cwd), context.environment.now());
    if (context.json) {
      for (const token of tokens) context.out.json(token);
      return 0;
    }
    if (tokens.length === 0) {
      context.note('no tokens: dv token create makes one');
      return 0;
    }
    const rows = [HEAD, ...tokens.map((token) => cellsOf(token).map(context.shownLine))];
    const widths = HEAD.map((_, i) => Math.max(...rows.map((cells) => displayWidth(cells[i]))));
    for (const [i, cells] of rows.entries()) {
      const line = cells.map((cell, at) => pad(cell, widths[at])).join('  ');
      context.out.line(i === 0 ? context.paint.dim(line.trimEnd()) : line.trimEnd());
    }
    return 0;
  },
};

function cellsOf({ id, kind, name, repositories, expires, lastUsed, expired }: ListedToken) {
  const end = expires === null ? 'never' : dayOf(expires) + (expired ? ' (expired)' : '');
  return [id, kind, name, repositories, end, lastUsed === null ? 'not yet' : dayOf(lastUsed)];
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

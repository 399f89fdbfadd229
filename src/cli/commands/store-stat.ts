/**
 * `dv store stat`: what the store holds by kind of object, and what it takes.
 *
 *   kind     objects        raw     stored  of it deltas
 *   node       3,412   14.2 MB     4.1 MB  5.2 kB in 120
 *   total      3,420   14.2 MB     4.1 MB  5.2 kB in 120
 *
 *   file 4.6 MB, of which 0 B are free
 *
 * JSON: `{"kinds":[{"kind","objects","rawBytes","storedBytes","deltas","deltaBytes"}],
 * "total":{...},"fileBytes","freeBytes"}`.
 */
import { type KindStat, type StoreStat, storeStat } from '../../porcelain/maintain.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { openRepositoryOf } from '../open-repository.ts';
import { formatBytes, formatNumber } from '../render/count.ts';

const HEAD = ['kind', 'objects', 'raw', 'stored', 'of it deltas'];

export const command: CommandModule = {
  declare(command) {
    command.description(
      'Show how many objects of each kind the store holds, how many bytes they have and how ' +
        'many they take: compressed, and where they resemble another as deltas to it.',
    );
  },
  examples: [['dv store stat', 'where the space goes']],
  async run(context) {
    const stat = await storeStat(await openRepositoryOf(context));
    if (context.json) context.out.json(stat);
    else context.out.write(renderStat(stat, context));
    return 0;
  },
};

function renderStat(
  { kinds, total, fileBytes, freeBytes }: StoreStat,
  { paint }: Pick<Context, 'paint'>,
): string {
  const rows = [HEAD, ...[...kinds, total].map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
      )
      .join('  '),
  );
  const [head, ...body] = lines;
  const file = `file ${formatBytes(fileBytes)}, of which ${formatBytes(freeBytes)} are free`;
  return `${paint.dim(head)}\n${body.join('\n')}\n\n${file}\n`;
}

function cellsOf({ kind, objects, rawBytes, storedBytes, deltas, deltaBytes }: KindStat): string[] {
  return [
    kind,
    formatNumber(objects),
    formatBytes(rawBytes),
    formatBytes(storedBytes),
    deltas === 0 ? '' : `${formatBytes(deltaBytes)} in ${formatNumber(deltas)}`,
  ];
}

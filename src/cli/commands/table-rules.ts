/**
 * `dv table rules TABLE [COLUMN=RULE...]`: what decides where both sides of a merge changed a
 * cell or a row.
 *
 *     column      type     rule
 *     id          integer  key
 *     name        text     text
 *     population  integer  max
 *     note        text     latest  by *
 *
 *     rows  conflict
 *
 * JSON: `{"table","columns":[{"name","type","rule","own"}],"others","rows"}`.
 */
import { type RuledColumn, setTableRules, tableRules } from '../../porcelain/table-rules.ts';
import { COLUMN_RULES, ROW_RULES } from '../../tuple/schema.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';
import { displayWidth, pad } from '../render/width.ts';

const HEAD = ['column', 'type', 'rule', ''];

export const command: CommandModule<AsOfFlag> = {
  declare(command) {
    command
      .description(
        'Show the merge rules of a table, or set some and stage it. A rule decides, instead of ' +
          'a person, a cell that both sides of a merge changed. They are part of the table, so ' +
          'that everyone who merges it decides alike. COLUMN may be *, all columns without a ' +
          'rule of their own, or rows, what becomes of a row that one side changed and the ' +
          `other removed. Rules of columns: ${COLUMN_RULES.join(', ')}. Rules of rows: ` +
          `${ROW_RULES.join(', ')}. The rule none takes one away.`,
      )
      .argument('<table>', 'TABLE as it is staged; without rules to set also REV:TABLE')
      .argument('[column=rule...]', 'rules to set');
    declareAsOf(command);
  },
  examples: [
    ['dv table rules cities.csv', 'show what decides'],
    ['dv table rules cities.csv population=max', 'the greater number wins'],
    ["dv table rules cities.csv '*=latest' rows=update-wins", 'the later change, never a removal'],
    ['dv table rules cities.csv population=none', 'ask a person again'],
  ],
  async run(context, { operands: [table, ...assignments], options }) {
    const repo = await openAsOf(context, options);
    const isShown = assignments.length === 0;
    const rules = isShown
      ? await tableRules(repo, table)
      : await setTableRules(repo, table, assignments);
    if (context.json) context.out.json(rules);
    else if (isShown || !context.quiet) {
      context.out.write(renderRules(rules.columns, context));
      context.out.line(`\n  ${context.paint.dim('rows')}  ${rules.rows}`);
    }
    return 0;
  },
};

function renderRules(
  columns: readonly RuledColumn[],
  { paint, shownLine }: Pick<Context, 'paint' | 'shownLine'>,
): string {
  const isKeyless = columns.every(({ rule }) => rule === null);
  const rows = columns.map(({ name, type, rule, own }) => [
    shownLine(name),
    type,
    rule ?? (isKeyless ? '' : 'key'),
    remark(rule, own),
  ]);
  const widths = HEAD.map((_, i) =>
    Math.max(...[HEAD, ...rows].map((cells) => displayWidth(cells[i]))),
  );
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => pad(cell, widths[i])).join('  ')}`.trimEnd();
  return `${[paint.dim(line(HEAD)), ...rows.map(line)].join('\n')}\n`;
}

function remark(rule: RuledColumn['rule'], own: RuledColumn['own']): string {
  if (own !== null && own !== rule) return `${own} does not suit the type any more`;
  return own === null && rule !== null && rule !== 'conflict' ? 'by *' : '';
}

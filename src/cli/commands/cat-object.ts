/**
 * `dv cat-object OBJECT`: one object of the store, decoded.
 * JSON: `{"hash","kind","size","content"}`.
 */
import { DvError } from '../../errors.ts';
import { catObject, type ObjectView } from '../../porcelain/inspect.ts';
import { type AsOfFlag, declareAsOf, openAsOf } from '../as-of.ts';
import type { CommandModule } from '../command.ts';
import type { Context } from '../context.ts';

interface Options extends AsOfFlag {
  readonly type?: boolean;
  readonly size?: boolean;
}

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Show an object of the store: a commit, tag, table, schema, tree node or blob. Keys and ' +
          'values of a node are bytes, shown in hexadecimal.',
      )
      .argument('<object>', 'a hash, the beginning of one, a revision or REV:TABLE')
      .option('-t, --type', 'only the kind of object')
      .option('-s, --size', 'only its size in bytes');
    declareAsOf(command);
  },
  examples: [
    ['dv cat-object HEAD', 'a commit as it is stored'],
    ['dv cat-object HEAD:cities.csv', 'a table: the hashes of its schema and of its tree'],
  ],
  async run(context, { operands: [text, ...more], options }) {
    if (more.length > 0 || (options.type && options.size)) {
      throw new DvError('bad-option', 'dv cat-object shows one thing of one object');
    }
    const object = await catObject(await openAsOf(context, options), text);
    if (context.json) context.out.json(object);
    else if (options.type) context.out.line(object.kind);
    else if (options.size) context.out.line(String(object.size));
    else context.out.write(renderObject(object, context));
    return 0;
  },
};

function renderObject({ hash, kind, size, content }: ObjectView, context: Context): string {
  const { paint, shown } = context;
  const head = `${paint.heading(kind)} ${paint.hash(hash)} ${paint.dim(`${size} bytes`)}\n`;
  return `${head}${shown(JSON.stringify(content, null, 2))}\n`;
}

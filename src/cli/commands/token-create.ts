/**
 * `dv token create`: a token for what `dv serve` serves here, printed once.
 * JSON: `{"token","id","kind","name","repositories","created","expires"}`, times in ms.
 */
import { randomBytes } from 'node:crypto';
import { DvError } from '../../errors.ts';
import { createToken, tokenFile } from '../../porcelain/token-file.ts';
import { parseTokenKind, TOKEN_KINDS } from '../../sync/access-token.ts';
import type { CommandModule } from '../command.ts';

interface Options {
  readonly name?: string;
  readonly repo?: string;
  readonly expires?: string;
}

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;
const MAX_DAYS = 36_500;

export const command: CommandModule<Options> = {
  declare(command) {
    command
      .description(
        'Make a token for what dv serve serves from this directory, and print it: it is kept ' +
          'as a hash and cannot be shown again. A reader fetches and watches, a writer pushes ' +
          'and writes rows too, an admin does everything, such as making repositories and ' +
          'moving tags. From the first token on, the server answers nobody without one; a ' +
          'server that runs knows a new token at once.',
      )
      .argument('<kind>', TOKEN_KINDS.join(', '))
      .option('--name <name>', 'who uses it: the actor of its pushes (default: the kind)')
      .option('--repo <pattern>', 'only for repositories of this name; * is any text (default: *)')
      .option('--expires <when>', `in days, such as 30d, or never (default: ${DEFAULT_DAYS}d)`);
  },
  examples: [
    ['dv token create writer --name ci --repo "team/*"', 'pushes to the repositories of a team'],
    ['dv token create reader --expires 7d', 'may clone for a week'],
  ],
  async run(context, { operands: [kind], options }) {
    const now = context.environment.now();
    const { token, stored } = createToken(
      tokenFile(context.cwd),
      {
        kind: parseTokenKind(kind),
        name: checkName(options.name ?? kind),
        repositories: checkPattern(options.repo ?? '*'),
        expires: parseExpiry(options.expires ?? `${DEFAULT_DAYS}d`, now),
      },
      { now, random: randomBytes },
    );
    if (context.json) {
      const { lastUsed: _, expired: __, ...facts } = stored;
      context.out.json({ token, ...facts });
      return 0;
    }
    context.out.line(token);
    context.note('note: this is the only time the token is shown; give it as DV_TOKEN');
    return 0;
  },
};

/** @throws DvError `bad-option` */
function parseExpiry(text: string, now: number): number | null {
  if (text === 'never') return null;
  const days = Number(/^(\d{1,5})d?$/.exec(text)?.[1] ?? Number.NaN);
  if (days >= 1 && days <= MAX_DAYS) return now + days * DAY_MS;
  throw new DvError('bad-option', `'${text}' is no time after which a token expires`, {
    hint: 'write a number of days, such as 30d, or never',
  });
}

/** It becomes part of log lines and of the feed. @throws DvError `bad-option` */
function checkName(name: string): string {
  if (/^[^\p{C}<>]{1,100}$/u.test(name) && name.trim() === name) return name;
  throw new DvError('bad-option', `${JSON.stringify(name)} cannot be the name of a token`, {
    hint: 'one line of at most 100 characters, without < and >',
  });
}

/** @throws DvError `bad-option` */
function checkPattern(pattern: string): string {
  if (/^[^\p{C}\\:]{1,200}$/u.test(pattern)) return pattern;
  throw new DvError('bad-option', `${JSON.stringify(pattern)} names no repositories`, {
    hint: 'a name such as team/data, or a pattern such as team/*',
  });
}

/**
 * Whether to colour: the command line decides, then NO_COLOR (https://no-color.org), then
 * FORCE_COLOR (https://force-color.org), then whether a terminal reads that can show it.
 */
import { DvError } from '../errors.ts';

export type ColorChoice = 'always' | 'never' | 'auto';

/** @throws DvError `bad-option` */
export function parseColorChoice(text: string): ColorChoice {
  if (text === 'always' || text === 'never' || text === 'auto') return text;
  throw new DvError('bad-option', `'--color=${text}' is not a choice of colour`, {
    hint: '--color=always, --color=never or --color=auto',
  });
}

export function wantsColor(
  choice: ColorChoice,
  variables: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (variables.NO_COLOR) return false;
  if (variables.FORCE_COLOR)
    return variables.FORCE_COLOR !== '0' && variables.FORCE_COLOR !== 'false';
  return isTerminal && variables.TERM !== 'dumb';
}

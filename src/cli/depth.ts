/** `--depth N`, for commander. */
import { DvError } from '../errors.ts';

/** @throws DvError `bad-option` */
export function parseDepth(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new DvError('bad-option', `'${text}' is no number of commits`, { hint: '--depth 1' });
}

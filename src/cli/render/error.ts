/** An error as a person reads it on standard error; repository text in it is made safe. */
import type { DvError } from '../../errors.ts';
import { VERSION } from '../version.ts';
import type { Paint } from './paint.ts';
import { sanitize } from './sanitize.ts';

/** `error: ...` and `hint: ...`, and for a defect of dv its stack. Ends with a line feed. */
export function renderError(error: DvError, paint: Paint): string {
  let text = `${paint.error('error:')} ${sanitize(error.message)}\n`;
  if (error.kind === 'internal') {
    const origin = error.cause instanceof Error ? error.cause : error;
    text += `${sanitize(origin.stack ?? '')}\n`;
    text += `${paint.hint('hint:')} this is a bug in dv ${VERSION}; please report it with these lines\n`;
  }
  if (error.hint !== undefined) text += `${paint.hint('hint:')} ${sanitize(error.hint)}\n`;
  return text;
}

/** Another command was faster, again and again. */
import { DvError } from '../errors.ts';

export function raced(): DvError {
  return new DvError('ref-moved', 'another command changed the repository meanwhile', {
    hint: 'try again',
  });
}

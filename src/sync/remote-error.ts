/** Errors as they cross the wire: the same object on both sides. */
import { DvError, ERROR_KINDS, type ErrorCode } from '../errors.ts';

/** The error that the other side reports; of a code unknown here `server-failed`. */
export function remoteError(fields: Readonly<Record<string, unknown>>): DvError {
  const { code, message, hint, data } = fields;
  const known = typeof code === 'string' && Object.hasOwn(ERROR_KINDS, code);
  const text = typeof message === 'string' ? message.slice(0, 1000) : 'the other side failed';
  return new DvError(known ? (code as ErrorCode) : 'server-failed', text, {
    ...(typeof hint === 'string' && { hint: hint.slice(0, 1000) }),
    ...(typeof data === 'object' && data !== null && { data: data as Record<string, unknown> }),
  });
}

/** Messages of commits and tags: part of one object, whose size is bounded. */
import { DvError } from '../errors.ts';

const MAX_MESSAGE_BYTES = 65_536;

/** @throws DvError `bad-option` */
export function checkMessage(message: string): string {
  // a character takes three bytes at most
  if (message.length * 3 <= MAX_MESSAGE_BYTES) return message;
  const bytes = Buffer.byteLength(message);
  if (bytes <= MAX_MESSAGE_BYTES) return message;
  const start = JSON.stringify(`${message.slice(0, 40)}…`);
  throw new DvError(
    'bad-option',
    `the message ${start} has ${bytes} bytes, more than ${MAX_MESSAGE_BYTES}`,
    { hint: 'keep long texts in a file beside the tables', data: { bytes } },
  );
}

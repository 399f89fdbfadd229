/**
 * The log of `dv serve`, on standard error: JSON lines for programs, one short line an event
 * for people. A reader that has gone, or does not keep up, ends the log and not the server.
 */
import { DvError } from '../../errors.ts';
import { redactTokens } from '../../sync/access-token.ts';
import { sanitizeLine } from '../render/sanitize.ts';

export type LogForm = 'json' | 'text' | 'none';
export type LogEntry = Readonly<Record<string, unknown>>;

/** Lines that wait for their reader are dropped beyond this. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** @throws DvError `bad-option` */
export function parseLogForm(text: string | undefined, isTerminal: boolean): LogForm {
  if (text === undefined) return isTerminal ? 'text' : 'json';
  if (text === 'json' || text === 'text' || text === 'none') return text;
  throw new DvError('bad-option', `'${text}' is no form of log`, { hint: 'json, text or none' });
}

export function openLog(
  form: LogForm,
  stream: NodeJS.WriteStream,
  now: () => number,
): (entry: LogEntry) => void {
  if (form === 'none') return () => {};
  let hasReader = true;
  stream.on('error', () => {
    hasReader = false;
  });
  return (entry) => {
    if (!hasReader || stream.writableLength > MAX_WAITING_BYTES) return;
    const time = new Date(now()).toISOString();
    const line = form === 'json' ? JSON.stringify({ time, ...entry }) : renderEntry(time, entry);
    stream.write(`${redactTokens(line)}\n`);
  };
}

function renderEntry(time: string, entry: LogEntry): string {
  const { level, event, method, path, status, ms, principal, message, stack } = entry;
  const clock = time.slice(11, 19);
  if (event === 'request') {
    return sanitizeLine(`${clock} ${status} ${method} ${path} ${ms} ms ${principal ?? '-'}`);
  }
  const text = sanitizeLine(`${clock} ${level} ${event}: ${message ?? ''}`);
  return stack === undefined ? text : `${text}\n${String(stack)}`;
}

/**
 * Makes text from a repository safe to show on a terminal. A cell, a name or a message may
 * hold escape sequences that move the cursor, retitle the window or answer as if typed, and
 * bidirectional marks that show a text in another order than it has. Each such character is
 * replaced by a visible stand-in; what reads as text is left alone.
 *
 *   U+0000-001F, 007F           its control picture: ESC is ␛, DEL is ␡
 *   U+0080-009F                 <9b>: the eight-bit forms of escape sequences
 *   bidirectional marks,        <U+202E>
 *   line and paragraph separators
 */

/** Everything replaced in both functions; line feed and tab are told apart below. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const UNSAFE_ALL = new RegExp(UNSAFE, 'g');
const UNSAFE_IN_LINES =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** For text that stays on one line, such as a cell: line feeds and tabs become visible too. */
export function sanitizeLine(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_ALL, standIn) : text;
}

/** For text of several lines, such as a commit message: keeps line feeds and tabs. */
export function sanitize(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_IN_LINES, standIn) : text;
}

function standIn(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '␡';
  if (code < 0xa0) return `<${code.toString(16)}>`;
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

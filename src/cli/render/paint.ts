/**
 * Colours by the role of a text, so that every screen of dv paints alike. Without colour
 * each role returns its text unchanged and chalk is never loaded. The sixteen basic colours
 * only: they follow the reader's theme.
 */

export interface Paint {
  readonly added: Role;
  readonly removed: Role;
  readonly changed: Role;
  /** A part of a changed cell that differs from its other side. */
  readonly addedPart: Role;
  readonly removedPart: Role;
  readonly heading: Role;
  readonly strong: Role;
  readonly dim: Role;
  readonly hash: Role;
  readonly ref: Role;
  readonly error: Role;
  readonly hint: Role;
}

export type Role = (text: string) => string;

const plain: Role = (text) => text;

export const NO_PAINT: Paint = {
  added: plain,
  removed: plain,
  changed: plain,
  addedPart: plain,
  removedPart: plain,
  heading: plain,
  strong: plain,
  dim: plain,
  hash: plain,
  ref: plain,
  error: plain,
  hint: plain,
};

export async function loadPaint(color: boolean): Promise<Paint> {
  if (!color) return NO_PAINT;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    added: chalk.green,
    removed: chalk.red,
    changed: chalk.yellow,
    addedPart: chalk.green.inverse,
    removedPart: chalk.red.inverse,
    heading: chalk.bold,
    strong: chalk.bold,
    dim: chalk.dim,
    hash: chalk.yellow,
    ref: chalk.cyan,
    error: chalk.red.bold,
    hint: chalk.cyan,
  };
}

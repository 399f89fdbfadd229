/** What the everyday commands are made of: messages, key lists, dates, patterns, counts. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesGlob } from '../../src/cli/glob.ts';
import { parseKeyList } from '../../src/cli/key-list.ts';
import { asComment, cleanMessage, editMessage } from '../../src/cli/message.ts';
import {
  formatDate,
  formatIsoDate,
  formatRelativeDate,
  formatShortDate,
} from '../../src/cli/render/date.ts';
import { NO_PAINT } from '../../src/cli/render/paint.ts';
import { countPhrase, renderSummary } from '../../src/cli/render/row-counts.ts';
import { describeDialect } from '../../src/cli/render/schema-table.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { testEnvironment } from '../support/repository.ts';

describe('a message', () => {
  test('loses its comments, and blanks that nobody sees', () => {
    const draft = '\n\nSubject  \r\n\r\n\n\n\nBody # kept\n  indented\n#gone\n\n# gone too';
    expect(cleanMessage(draft)).toBe('Subject\n\nBody # kept\n  indented');
  });

  test('cleaned once is clean, and comments leave nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '\n', '#', '\t') }), (text) => {
        const clean = cleanMessage(text);
        expect(cleanMessage(clean)).toBe(clean);
        expect(cleanMessage(`${clean}\n${asComment(text)}`)).toBe(clean);
      }),
    );
  });

  /** An editor that keeps what it was shown and leaves `text`. */
  function editorThatWrites(directory: string, text: string, status = 0): string {
    const path = join(directory, 'editor.sh');
    const script = `#!/bin/sh\ncp "$2" '${directory}/seen'\nprintf '${text}' > "$2"\nexit ${status}\n`;
    writeFileSync(path, script);
    chmodSync(path, 0o755);
    return `${path} --wait`;
  }

  const edit = (directory: string, variables: Record<string, string>) =>
    editMessage(
      { environment: { ...testEnvironment(), variables } },
      { dotDir: directory },
      'COMMIT_EDITMSG',
      'draft\n# comment\n',
    );

  test('is written in VISUAL before EDITOR, whatever options they hold', () => {
    const directory = temporaryDirectory();
    const VISUAL = editorThatWrites(directory, 'Subject\\n\\n# comment\\n');
    expect(edit(directory, { VISUAL, EDITOR: 'false' })).toBe('Subject');
    expect(readFileSync(join(directory, 'seen'), 'utf8')).toBe('draft\n# comment\n');
    writeFileSync(join(directory, 'config'), '[core]\neditor = false\n');
    expect(() => edit(directory, { VISUAL })).toThrow("the editor 'false' failed");
  });

  test('is not taken from an editor that fails, or from none', () => {
    const directory = temporaryDirectory();
    const EDITOR = editorThatWrites(directory, 'Subject', 1);
    expect(() => edit(directory, { EDITOR })).toThrow('failed');
    expect(() => edit(directory, {})).toThrow('there is no message, and no editor');
  });
});

describe('a list of keys', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r', ' ', 'é') });
  const quoted = (text: string) =>
    /[",\r\n]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text;

  test('is read as CSV', () => {
    const keys = fc.array(fc.array(cell, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(keys, fc.constantFrom('\n', '\r\n'), fc.boolean(), (list, end, last) => {
        const text = list.map((key) => key.map(quoted).join(',')).join(end) + (last ? end : '');
        expect(parseKeyList(text, 'keys')).toEqual(list);
      }),
    );
  });

  test('has no quote in the middle of a cell, and each that opens closes', () => {
    for (const text of ['1\n2"3"\n', 'a\n"open\n1\n']) {
      expect(() => parseKeyList(text, 'keys.txt')).toThrow("line 2 of 'keys.txt' has a quote");
    }
  });
});

test('dates are those of the place where the person was', () => {
  const when = { time: Date.UTC(2026, 1, 28, 23, 5, 9), zone: 330 };
  expect(formatDate(when)).toBe('Sun Mar 1 04:35:09 2026 +0530');
  expect(formatIsoDate(when)).toBe('2026-03-01T04:35:09+05:30');
  expect(formatShortDate(when)).toBe('2026-03-01');
  expect(formatDate({ time: 0, zone: -210 })).toBe('Wed Dec 31 20:30:00 1969 -0330');
  const ago = (seconds: number) => formatRelativeDate({ time: 0, zone: 0 }, seconds * 1000);
  expect([ago(0), ago(1), ago(59), ago(60), ago(86_399), ago(172_800), ago(-5)]).toEqual([
    '0 seconds ago',
    '1 second ago',
    '59 seconds ago',
    '1 minute ago',
    '23 hours ago',
    '2 days ago',
    'in the future',
  ]);
});

test('patterns of names', () => {
  expect(matchesGlob('release/2026.1', ['release/*'])).toBe(true);
  expect(matchesGlob('release/2026.1', ['*.2', 'rel*'])).toBe(true);
  expect(matchesGlob('v1x2', ['v1.2'])).toBe(false);
  expect(matchesGlob('v1.2', ['v?.?'])).toBe(true);
  expect(matchesGlob('anything', [])).toBe(true);
});

test('counts in words', () => {
  const phrase = (added: number, removed: number, modified: number) =>
    countPhrase({ added, removed, modified }, NO_PAINT);
  expect([phrase(1, 0, 0), phrase(1234, 1, 2), phrase(0, 0, 1), phrase(0, 0, 0)]).toEqual([
    '1 row added',
    '1,234 rows added, 1 removed, 2 modified',
    '1 row modified',
    '',
  ]);
  const table = (name: string) => ({ table: name, added: 1, removed: 0, modified: 0 });
  const summary = { tables: ['a', '日本', 'c'].map(table), files: [] };
  const style = { paint: NO_PAINT, shownLine: (text: string) => text };
  expect(renderSummary(summary, style, 2)).toBe(' a | 1 row added\n … 2 more\n');
  expect(renderSummary(summary, style, 3)).toBe(
    ' a    | 1 row added\n 日本 | 1 row added\n c    | 1 row added\n',
  );
});

test('a dialect is told by what is not as usual', () => {
  expect(describeDialect({ format: 'csv', delimiter: ',', newline: '\n' })).toBe('csv');
  expect(
    describeDialect({
      format: 'csv',
      delimiter: '\t',
      header: false,
      encoding: 'latin1',
      newline: '\r\n',
      bom: true,
      quoting: ['a'],
      finalNewline: false,
    }),
  ).toBe(
    'csv, delimiter tab, no header, latin1, lines end in CR LF, byte order mark, 1 columns quoted, no line end behind the last row',
  );
});

/** Config files: their syntax, edits that leave the rest alone, precedence, and authors. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DvError } from '../../src/errors.ts';
import {
  Config,
  readConfig,
  resolveAuthor,
  setConfig,
  unsetConfig,
} from '../../src/porcelain/config.ts';
import { parseConfigText, setInText, unsetInText } from '../../src/porcelain/config-text.ts';
import { temporaryDirectory } from '../support/cli.ts';

function read(text: string): [string, string][] {
  return parseConfigText(text, 'config').map(({ key, value }) => [key, value]);
}

function thrown(work: () => unknown): DvError {
  try {
    work();
  } catch (error) {
    if (error instanceof DvError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('syntax', () => {
  const cases: readonly [name: string, text: string, entries: [string, string][]][] = [
    ['nothing', '', []],
    ['plain', '[user]\n\tname = Ada Lovelace\n', [['user.name', 'Ada Lovelace']]],
    ['case', '[User]\nNAME=Ada\n', [['user.name', 'Ada']]],
    ['subsection', '[remote "My Host"]\nurl = x', [['remote.My Host.url', 'x']]],
    ['escaped subsection', '[remote "a\\"b\\\\c"]\nurl = x', [['remote.a"b\\c.url', 'x']]],
    [
      'comments',
      '# a\n[a] ; b\n# c\nb = c # d\ne = f ; g\n',
      [
        ['a.b', 'c'],
        ['a.e', 'f'],
      ],
    ],
    [
      'quotes',
      '[a]\nb = " c # d ; "\ne = f" g "h\n',
      [
        ['a.b', ' c # d ; '],
        ['a.e', 'f g h'],
      ],
    ],
    ['escapes', '[a]\nb = \\"c\\"\\\\\\n\\t.\n', [['a.b', '"c"\\\n\t.']]],
    ['inner space', '[a]\nb =   c   d   \n', [['a.b', 'c   d']]],
    [
      'no value',
      '[a]\nb\nc # d\ne =\n',
      [
        ['a.b', 'true'],
        ['a.c', 'true'],
        ['a.e', ''],
      ],
    ],
    [
      'continued',
      '[a]\nb = c \\\n  d\ne = f',
      [
        ['a.b', 'c   d'],
        ['a.e', 'f'],
      ],
    ],
    ['carriage returns', '[a]\r\nb = c\r\n', [['a.b', 'c']]],
    ['byte order mark', '\ufeff[a]\nb = c\n', [['a.b', 'c']]],
    [
      'the same key',
      '[a]\nb = c\nb = d\n',
      [
        ['a.b', 'c'],
        ['a.b', 'd'],
      ],
    ],
  ];
  test.each(cases)('%s', (_name, text, entries) => {
    expect(read(text)).toEqual(entries);
  });

  const broken: readonly [name: string, text: string, line: number][] = [
    ['a setting before a section', 'a = b\n', 1],
    ['an open section', '[a\n', 1],
    ['text behind a section', '[a] b = c\n', 1],
    ['no name', '[a]\n\n= b\n', 3],
    ['a name with a space', '[a]\nb c = d\n', 2],
    ['an open quote', '[a]\nb = "c\nd = e\n', 2],
    ['an unknown escape', '[a]\nb = \\x\n', 2],
  ];
  test.each(broken)('%s is refused with its line', (_name, text, line) => {
    const error = thrown(() => read(text));
    expect(error.code).toBe('bad-config');
    expect(error.data).toEqual({ file: 'config', line });
  });
});

const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9-]{0,5}$/);
const subsection = fc
  .string({ minLength: 1, maxLength: 6 })
  .filter((text) => !/[\n\r\0]/.test(text));
const key = fc
  .tuple(name, fc.option(subsection, { nil: undefined }), name)
  .map(([section, sub, last]) => [section, ...(sub === undefined ? [] : [sub]), last].join('.'));
const value = fc.oneof(
  fc.string(),
  fc.constantFrom('', ' ', '"', '\\', '# a', 'a;b', 'a\nb', 'a\r', '\t'),
);

test('setting and unsetting in any order is what a map would hold', () => {
  const keys = fc.uniqueArray(key, {
    minLength: 1,
    maxLength: 5,
    selector: (k) => k.toLowerCase(),
  });
  const property = fc.property(
    keys,
    fc.array(fc.tuple(fc.nat(), fc.option(value, { nil: undefined })), { maxLength: 12 }),
    (names, steps) => {
      const model = new Map<string, string>();
      let text = '# kept\n[other] ; kept\n\tkept = yes # kept\n';
      const spelled = (wanted: string) => read(setInText('', wanted, '', 'config'))[0][0];
      for (const [pick, next] of steps) {
        const chosen = names[pick % names.length];
        if (next === undefined) {
          text = unsetInText(text, chosen, 'config');
          model.delete(spelled(chosen));
        } else {
          text = setInText(text, chosen, next, 'config');
          model.set(spelled(chosen), next);
        }
      }
      const found = new Map(read(text));
      if (!model.has('other.kept') && found.get('other.kept') === 'yes') found.delete('other.kept');
      expect(found).toEqual(model);
      expect(text.startsWith('# kept\n')).toBe(true);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

describe('edits leave the rest as it was', () => {
  const text = [
    '; head',
    '[user]  # who',
    '   Name = Ada # first',
    '\temail=ada@example.org',
    '',
    '[remote "origin"]',
    'url = a \\',
    '  b',
    '# end',
  ].join('\n');

  test('a value in place', () => {
    expect(setInText(text, 'user.name', 'Grace', 'config')).toBe(
      text.replace('   Name = Ada # first', '   Name = Grace'),
    );
  });

  test('a value of several lines', () => {
    expect(setInText(text, 'remote.origin.url', 'c', 'config')).toBe(
      text.replace('url = a \\\n  b', 'url = c'),
    );
  });

  test('a new key goes behind the last of its section', () => {
    expect(setInText(text, 'user.key', 'k', 'config')).toBe(
      text.replace('example.org\n', 'example.org\n\tkey = k\n'),
    );
  });

  test('a new section goes to the end, on a line of its own', () => {
    expect(setInText(text, 'remote.b"c.url', ' k', 'config')).toBe(
      `${text}\n[remote "b\\"c"]\n\turl = " k"\n`,
    );
  });

  test('the ends of lines stay', () => {
    expect(setInText('[a]\r\nb = c\r\n', 'a.d', 'e', 'config')).toBe('[a]\r\nb = c\r\n\td = e\r\n');
    expect(setInText('[a]\r\nb = c', 'a.d', 'e', 'config')).toBe('[a]\r\nb = c\r\n\td = e\r\n');
  });

  test('of a repeated key one entry remains', () => {
    expect(setInText('[a]\nb = 1\nc = 2\nb = 3\n', 'a.b', '4', 'config')).toBe(
      '[a]\nc = 2\nb = 4\n',
    );
  });

  test('an emptied section goes, one with a comment stays', () => {
    expect(unsetInText('[a]\nb = c\n\n[d]\n', 'a.b', 'config')).toBe('\n[d]\n');
    expect(unsetInText('[a]\n# why\nb = c\n', 'a.b', 'config')).toBe('[a]\n# why\n');
  });
});

test.each(['', 'name', '.name', 'user.', 'us er.name', 'user.na me', 'user.1', 'a\nb.c'])(
  '%j is no key',
  (bad) => {
    expect(thrown(() => setInText('', bad, 'x', 'config')).code).toBe('bad-name');
  },
);

describe('files', () => {
  test("the repository's setting beats the user's, and says where it is", () => {
    const home = temporaryDirectory();
    const user = join(home, 'user');
    setConfig(user, 'user.name', 'User');
    setConfig(user, 'user.email', 'user@example.org');
    setConfig(join(home, 'config'), 'user.name', 'Repository');
    const config = readConfig(home, user);
    expect(config.get('USER.NAME')).toBe('Repository');
    expect(config.get('user.email')).toBe('user@example.org');
    expect(config.find('user.name')).toEqual({
      key: 'user.name',
      value: 'Repository',
      origin: 'repository',
      file: join(home, 'config'),
      line: 2,
    });
  });

  test('missing files are empty; setting makes the folder', () => {
    const home = temporaryDirectory();
    const file = join(home, 'a', 'b', 'config');
    expect(readConfig(undefined, file).entries).toEqual([]);
    setConfig(file, 'a.b', 'c');
    expect(readFileSync(file, 'utf8')).toBe('[a]\n\tb = c\n');
    expect(readdirSync(join(home, 'a', 'b'))).toEqual(['config']);
  });

  test('unsetting tells whether the key was there', () => {
    const file = join(temporaryDirectory(), 'config');
    setConfig(file, 'a.b', 'c');
    expect(unsetConfig(file, 'a.x')).toBe(false);
    expect(unsetConfig(file, 'A.B')).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  test('a writer that is not alone is refused, and leaves the other alone', () => {
    const home = temporaryDirectory();
    const file = join(home, 'config');
    writeFileSync(`${file}.lock`, 'another');
    const error = thrown(() => setConfig(file, 'a.b', 'c'));
    expect(error.code).toBe('locked');
    expect(readdirSync(home)).toEqual(['config.lock']);
  });

  test('a file that cannot be read as config is not overwritten', () => {
    const home = temporaryDirectory();
    const file = join(home, 'config');
    writeFileSync(file, '[broken\n');
    expect(thrown(() => setConfig(file, 'a.b', 'c')).code).toBe('bad-config');
    expect(readFileSync(file, 'utf8')).toBe('[broken\n');
    expect(readdirSync(home)).toEqual(['config']);
  });

  test('a link stays a link, and the mode of its file stays', () => {
    const home = temporaryDirectory();
    mkdirSync(join(home, 'dotfiles'));
    const target = join(home, 'dotfiles', 'config');
    writeFileSync(target, '[a]\nb = c\n');
    chmodSync(target, 0o600);
    symlinkSync(target, join(home, 'config'));
    setConfig(join(home, 'config'), 'a.b', 'd');
    expect(lstatSync(join(home, 'config')).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toBe('[a]\nb = d\n');
    expect(statSync(target).mode & 0o777).toBe(0o600);
  });
});

function configOf(settings: Record<string, string>): Config {
  return new Config(
    Object.entries(settings).map(([key, value]) => ({
      key,
      value,
      origin: 'user',
      file: 'config',
      line: 1,
    })),
  );
}

describe('flags', () => {
  test.each([
    ['true', true],
    ['YES', true],
    ['1', true],
    ['off', false],
    ['', false],
  ])('%j is %s', (text, flag) => {
    expect(configOf({ 'a.b': text }).getFlag('a.b')).toBe(flag);
  });
  test('absent, and neither', () => {
    expect(configOf({}).getFlag('a.b')).toBeUndefined();
    expect(thrown(() => configOf({ 'a.b': 'perhaps' }).getFlag('a.b')).code).toBe('bad-config');
  });
});

describe('the author', () => {
  const config = configOf({ 'user.name': 'Ada', 'user.email': 'ada@example.org' });

  test('comes from the settings, and first from the environment', () => {
    expect(resolveAuthor({}, config)).toEqual({ name: 'Ada', email: 'ada@example.org' });
    expect(resolveAuthor({ DV_AUTHOR_NAME: 'Grace' }, config)).toEqual({
      name: 'Grace',
      email: 'ada@example.org',
    });
  });

  test('must be known', () => {
    const error = thrown(() => resolveAuthor({ DV_AUTHOR_NAME: 'Ada' }, configOf({})));
    expect(error.code).toBe('no-author');
    expect(error.hint).toContain('dv config --global user.email');
  });

  test.each(['A <b', 'A> b', 'A\nb'])('cannot be %j', (bad) => {
    expect(thrown(() => resolveAuthor({ DV_AUTHOR_NAME: bad }, config)).code).toBe('no-author');
  });
});

/** The layers of dv and its other rules of structure; and that each rule can be broken. */
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkArchitecture } from './support/architecture.ts';
import { scanSource } from './support/source-scan.ts';

const DOC = '/** What it is. */\n';

function breachesOf(files: Record<string, string>): string[] {
  return checkArchitecture(
    new Map(Object.entries(files).map(([path, text]) => [path, DOC + text])),
  );
}

test('the source keeps the rules', () => {
  const paths = globSync(['src/**/*.ts', 'bin/*.ts']).filter((path) => !path.includes('/dist/'));
  expect(paths.length).toBeGreaterThan(10);
  const tree = new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]));
  expect(checkArchitecture(tree)).toEqual([]);
});

describe('a tree that breaks a rule is caught:', () => {
  const store = { 'src/store/memory.ts': '' };
  const cases: readonly [name: string, files: Record<string, string>, breach: string][] = [
    [
      'an arrow up',
      { ...store, 'src/tuple/row.ts': "import { x } from '../store/memory.ts';" },
      "src/tuple/row.ts:2: tuple must not import store ('../store/memory.ts')",
    ],
    [
      'a type import up',
      { ...store, 'src/formats/csv.ts': "import type { X } from '../store/memory.ts';" },
      "src/formats/csv.ts:2: formats must not import store ('../store/memory.ts')",
    ],
    [
      'a dynamic import up, and an import in a type',
      {
        'src/model/gc.ts': "const a = await import(\n  '../cli/main.ts');",
        'src/store/gc.ts': "let a: import('../model/gc.ts').A;",
        'src/cli/main.ts': '',
      },
      "src/model/gc.ts:3: model must not import cli ('../cli/main.ts')",
    ],
    [
      'an export from a layer above',
      { 'src/prolly/a.ts': "export * from '../tuple/b.ts';", 'src/tuple/b.ts': '' },
      "src/prolly/a.ts:2: prolly must not import tuple ('../tuple/b.ts')",
    ],
    [
      'a command that reaches for the store',
      { ...store, 'src/cli/commands/gc.ts': "import '../../store/memory.ts';" },
      "src/cli/commands/gc.ts:2: cli must not import store ('../../store/memory.ts')",
    ],
    [
      'a command other than serve that starts the server',
      { 'src/server/http.ts': '', 'src/cli/commands/log.ts': "import '../../server/http.ts';" },
      "src/cli/commands/log.ts:2: cli must not import server ('../../server/http.ts')",
    ],
    [
      'a ring of files',
      {
        'src/model/a.ts': "import './b.ts';",
        'src/model/b.ts': "import type { A } from './a.ts';",
      },
      'cycle: src/model/a.ts -> src/model/b.ts -> src/model/a.ts',
    ],
    [
      'the driver outside of its files',
      { 'src/store/other.ts': "import Database from 'better-sqlite3';" },
      'src/store/other.ts:2: only src/store/sqlite*.ts may import better-sqlite3',
    ],
    ['the process', { 'src/model/a.ts': 'f(process.env.HOME);' }, 'src/model/a.ts:2: uses process'],
    [
      'the process in a template',
      { 'src/model/a.ts': `f(\`a \${\`b \${process.pid}\`} c\`);` },
      'src/model/a.ts:2: uses process',
    ],
    ['the clock', { 'src/model/a.ts': 'const t = Date.now();' }, 'src/model/a.ts:2: uses Date.now'],
    ['the clock, made', { 'src/model/a.ts': 'new Date ()' }, 'src/model/a.ts:2: uses new Date()'],
    ['chance', { 'src/model/a.ts': 'Math.random()' }, 'src/model/a.ts:2: uses Math.random'],
    [
      'the console',
      { 'src/porcelain/a.ts': 'console.log(1)' },
      'src/porcelain/a.ts:2: uses console',
    ],
    [
      'files',
      { 'src/formats/a.ts': "import { open } from 'node:fs/promises';" },
      "src/formats/a.ts:2: uses files ('node:fs/promises')",
    ],
    [
      'a terminal',
      { 'src/porcelain/a.ts': "import chalk from 'chalk';" },
      "src/porcelain/a.ts:2: uses a terminal ('chalk')",
    ],
    ['import.meta', { 'src/model/a.ts': 'import.meta.url' }, 'src/model/a.ts:2: uses import.meta'],
    ['an empty name', { 'src/cli/utils.ts': '' }, 'src/cli/utils.ts: a name that says nothing'],
    [
      'an empty class name',
      { 'src/cli/a.ts': 'class StoreManager {}' },
      'src/cli/a.ts: class StoreManager has a name that says nothing',
    ],
    ['a long file', { 'src/cli/a.ts': '\n'.repeat(400) }, 'src/cli/a.ts: 401 lines, more than 400'],
    ['a loose file', { 'src/extra.ts': '' }, 'src/extra.ts: belongs to no layer'],
    [
      'a module that is not there',
      { 'src/cli/a.ts': "import './b.ts';" },
      "src/cli/a.ts:2: imports './b.ts', which is no source",
    ],
  ];
  test.each(cases)('%s', (_name, files, breach) => {
    expect(breachesOf(files)).toContain(breach);
  });

  test('no doc comment', () => {
    expect(checkArchitecture(new Map([['src/cli/a.ts', 'let a;']]))).toEqual([
      'src/cli/a.ts:1: does not open with a doc comment',
    ]);
  });
});

test('a tree that keeps the rules passes', () => {
  const breaches = breachesOf({
    'src/errors.ts': '',
    'src/hash.ts': "import './errors.ts'; createRequire(import.meta.url);",
    'src/store/sqlite-reader.ts': "import Database from 'better-sqlite3'; import 'node:fs';",
    'src/prolly/node.ts': "import '../hash.ts'; // process.env, './nowhere.ts'",
    'src/model/log.ts': "import '../prolly/node.ts'; f('Date.now()', /console/, a.process);",
    'src/porcelain/log.ts': "import '../model/log.ts'; new Date(1); new Date(a).x();",
    'src/cli/commands/log.ts': "import '../../porcelain/log.ts'; console.log(Date.now());",
    'src/cli/commands/serve.ts': "import '../../server/http.ts';",
    'src/server/http.ts': "import '../store/sqlite-reader.ts';",
    'bin/tool.ts': "import '../src/cli/commands/log.ts';",
  });
  expect(breaches).toEqual([]);
});

test('imports are found whatever stands around them', () => {
  const source = [
    "import a, { type B } from 'one';",
    'import type {\n  C,\n} from "two";',
    "import 'three';",
    "export { d } from 'four'; // import 'comment'",
    "/* import 'comment' */ const e = import('five');",
    `const f = require('six'), g = \`\${import('seven')} import 'text'\`;`,
    "const h = 4 / 2; const i = /import 'regex'/; Array.from('text');",
    "type J = import('eight').K; const l = \"from 'text'\";",
  ].join('\n');
  expect(scanSource(source).imports.map(({ specifier }) => specifier)).toEqual([
    'one',
    'two',
    'three',
    'four',
    'five',
    'six',
    'seven',
    'eight',
  ]);
});

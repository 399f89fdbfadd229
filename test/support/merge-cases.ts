/** Reads fixtures/merge/*.txt; the form is told in the README beside them. */
import { readdirSync, readFileSync } from 'node:fs';
import { changeRules, parseRules } from '../../src/tuple/merge-rules.ts';
import type { Cell, ColumnType, MergeRules, Row } from '../../src/tuple/schema.ts';
import type { WholeTable } from './table-diffs.ts';

export interface MergeCase {
  readonly file: string;
  readonly title: string;
  readonly base: WholeTable | null;
  readonly ours: WholeTable | null;
  readonly theirs: WholeTable | null;
  readonly merged: WholeTable | null;
  readonly conflicts: readonly string[];
  readonly resolved: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly oneWay: boolean;
}

const DIRECTORY = new URL('../../fixtures/merge/', import.meta.url);
const SECTIONS = ['base', 'ours', 'theirs', 'merged', 'conflicts', 'resolved'];

export function readMergeCases(): MergeCase[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.txt'))
    .flatMap((file) => {
      const [before, ...cases] = readFileSync(new URL(file, DIRECTORY), 'utf8').split(/^=== /m);
      if (before !== '') throw new Error(`${file}: text before the first case`);
      return cases.map((text) => parseCase(file, text));
    });
}

function parseCase(file: string, text: string): MergeCase {
  const [title, ...lines] = text.trimEnd().split('\n');
  const settings = new Map<string, string>();
  const sections = new Map<string, string[]>();
  let section: string[] | undefined;
  for (const line of lines) {
    const name = line.replace(/:$/, '');
    const setting = /^([a-z ]+): (.+)$/.exec(line);
    if (line.endsWith(':') && SECTIONS.includes(name)) {
      section = [];
      sections.set(name, section);
    } else if (line === 'one way' || line === '') settings.set(line, line);
    else if (setting !== null && setting[1] !== 'table') settings.set(setting[1], setting[2]);
    else if (section !== undefined) section.push(line);
    else throw new Error(`${file}, ${title}: "${line}"`);
  }
  const table = (side: string): WholeTable | null => {
    const key = settings.get(`${side} key`) ?? settings.get('key') ?? '-';
    const rules = settings.get(`${side} rules`) ?? settings.get('rules');
    return parseTable(sections.get(side) ?? [], key, rules);
  };
  return {
    file,
    title,
    base: table('base'),
    ours: table('ours'),
    theirs: table('theirs'),
    merged: sections.get('merged')?.[0] === 'absent' ? null : table('merged'),
    conflicts: sections.get('conflicts') ?? [],
    resolved: sections.get('resolved') ?? [],
    options: Object.fromEntries(
      (settings.get('options') ?? '')
        .split(' ')
        .filter((word) => word !== '')
        .map((word) => word.split('=') as [string, string]),
    ),
    oneWay: settings.has('one way'),
  };
}

function parseTable(lines: readonly string[], key: string, rules?: string): WholeTable | null {
  if (lines[0] === 'absent') return null;
  const columns = lines[0].split('|').map((text) => {
    const [name, type = 'text'] = text.split(':');
    return { name, type: type as ColumnType };
  });
  const places =
    key === '-' ? [] : key.split(' ').map((n) => columns.findIndex((c) => c.name === n));
  const schema = { columns, key: places, ...(rules ? { rules: rulesOf(rules) } : {}) };
  return { schema, rows: lines.slice(1).map(parseRow) };
}

function rulesOf(text: string): MergeRules {
  return changeRules(undefined, parseRules(text.split(' ')))!;
}

const parseRow = (line: string): Row =>
  line.split('|').map((cell): Cell => (cell === '' ? null : cell === '""' ? '' : cell));

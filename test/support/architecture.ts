/**
 * The rules that hold the source together: which layer may import which, where the outside
 * world may be touched, and how a file looks. Works on any tree of sources, so that the
 * rules themselves can be tested.
 */
import { dirname, join } from 'node:path';
import { type ScannedSource, scanSource } from './source-scan.ts';

/** Text by path, such as `src/store/memory.ts`. */
export type SourceTree = ReadonlyMap<string, string>;

const KERNEL = ['src/errors.ts', 'src/hash.ts', 'src/bytes.ts'];
const LIBRARY = 'src/index.ts';
const MAX_LINES = 400;

/** What lies directly under each layer; what lies under that is within reach too. */
const UNDER: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  store: ['kernel'],
  tuple: ['kernel'],
  prolly: ['store'],
  model: ['prolly', 'tuple'],
  formats: ['tuple'],
  sync: ['model'],
  live: ['sync', 'formats'],
  server: ['live'],
  porcelain: ['model', 'formats', 'live'],
  library: ['porcelain'],
  cli: ['porcelain'],
  bin: ['cli'],
};

/** Within reach, and yet not to be touched. */
const OUT_OF_BOUNDS: Readonly<Record<string, readonly string[]>> = { cli: ['prolly', 'store'] };
/** The one command that may start the server. */
const SERVE_COMMAND = /^src\/cli\/commands\/serve[^/]*\.ts$/;

/** The edges: the library is one too, for whoever imports it gives it no world. */
const OUTSIDE_LAYERS = new Set(['library', 'cli', 'bin']);
const OUTSIDE_WORLD: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/(?<![.\w$])process\b/, 'process'],
  [/(?<![.\w$])console\b/, 'console'],
  [/\bDate\s*\.\s*now\b/, 'Date.now'],
  [/\bnew\s+Date\s*(?:\(\s*\)|(?![\s(\w]))/, 'new Date()'],
  [/\bMath\s*\.\s*random\b/, 'Math.random'],
  [/\b(?:randomBytes|randomUUID|randomInt|randomFill(?:Sync)?|getRandomValues)\b/, 'randomness'],
  [/(?<![.\w$])performance\b/, 'performance'],
];
const OUTSIDE_MODULES = /^(?:node:)?(?:process|os|tty|child_process|readline|perf_hooks)(?:\/|$)/;

/** To load a native package when it is needed, or to start the thread in the file beside. */
const MAY_USE_IMPORT_META = new Set([
  'src/hash.ts',
  'src/store/compression.ts',
  'src/store/sqlite-background.ts',
  'src/store/sqlite-open.ts',
]);
const FILE_SYSTEM = /^(?:node:)?fs(?:\/|$)/;
const MAY_USE_FILES = /^(?:src\/store\/sqlite[^/]*\.ts|src\/porcelain\/.*|src\/cli\/.*|bin\/.*)$/;
const SQLITE_FILE = /^src\/store\/sqlite[^/]*\.ts$/;
const TERMINAL_PACKAGES = /^(?:commander|chalk|ink)(?:\/|$)/;
const EMPTY_NAME = /(?:^|[/._-])(?:utils?|helpers?|managers?|common|impl)(?:[/._-]|$)/i;
const EMPTY_CLASS = /\bclass\s+(\w*(?:Utils?|Helper|Manager|Impl))\b/;

/** Every breach of the rules, as `path:line: what`; empty when all is well. */
export function checkArchitecture(tree: SourceTree): string[] {
  const sources = new Map([...tree].map(([path, text]) => [path, scanSource(text)]));
  const breaches = [...sources].flatMap(([path, source]) => [
    ...checkShape(path, tree.get(path) ?? '', source),
    ...checkOutsideWorld(path, source),
    ...checkImports(path, source, tree),
  ]);
  return [...breaches, ...findCycles(sources)];
}

function layerOf(path: string): string {
  if (path.startsWith('bin/')) return 'bin';
  if (KERNEL.includes(path)) return 'kernel';
  if (path === LIBRARY) return 'library';
  return path.split('/').length > 2 ? path.split('/')[1] : `unknown file ${path}`;
}

function withinReach(layer: string): Set<string> {
  const reach = new Set<string>();
  const visit = (from: string) => {
    for (const below of UNDER[from] ?? []) {
      reach.add(below);
      visit(below);
    }
  };
  visit(layer);
  for (const forbidden of OUT_OF_BOUNDS[layer] ?? []) reach.delete(forbidden);
  return reach;
}

function checkShape(path: string, text: string, source: ScannedSource): string[] {
  const breaches: string[] = [];
  const lines = text.split('\n').length - 1;
  if (lines > MAX_LINES) breaches.push(`${path}: ${lines} lines, more than ${MAX_LINES}`);
  if (!text.startsWith('/**')) breaches.push(`${path}:1: does not open with a doc comment`);
  if (EMPTY_NAME.test(path)) breaches.push(`${path}: a name that says nothing`);
  const empty = EMPTY_CLASS.exec(source.code);
  if (empty !== null) breaches.push(`${path}: class ${empty[1]} has a name that says nothing`);
  if (UNDER[layerOf(path)] === undefined) breaches.push(`${path}: belongs to no layer`);
  return breaches;
}

function checkOutsideWorld(path: string, { code }: ScannedSource): string[] {
  if (OUTSIDE_LAYERS.has(layerOf(path))) return [];
  const breaches: string[] = [];
  for (const [number, line] of code.split('\n').entries()) {
    const found = OUTSIDE_WORLD.filter(([pattern]) => pattern.test(line));
    if (/\bimport\s*\.\s*meta\b/.test(line) && !MAY_USE_IMPORT_META.has(path)) {
      breaches.push(`${path}:${number + 1}: uses import.meta`);
    }
    for (const [, name] of found) breaches.push(`${path}:${number + 1}: uses ${name}`);
  }
  return breaches;
}

function checkImports(path: string, source: ScannedSource, tree: SourceTree): string[] {
  const layer = layerOf(path);
  const reach = withinReach(layer);
  return source.imports.flatMap(({ specifier, line }) => {
    const at = `${path}:${line}:`;
    if (!specifier.startsWith('.')) {
      const what = checkPackage(path, layer, specifier);
      return what === undefined ? [] : [`${at} ${what}`];
    }
    const target = join(dirname(path), specifier);
    if (target === 'package.json' && layer === 'cli') return [];
    if (path.startsWith('bin/') && target.startsWith('bin/')) return [];
    if (!tree.has(target)) return [`${at} imports '${specifier}', which is no source`];
    const to = layerOf(target);
    if (to === layer || reach.has(to)) return [];
    if (to === 'server' && SERVE_COMMAND.test(path)) return [];
    return [`${at} ${layer} must not import ${to} ('${specifier}')`];
  });
}

function checkPackage(path: string, layer: string, specifier: string): string | undefined {
  const isOutside = OUTSIDE_LAYERS.has(layer);
  if (specifier === 'better-sqlite3' && !SQLITE_FILE.test(path)) {
    return 'only src/store/sqlite*.ts may import better-sqlite3';
  }
  if (FILE_SYSTEM.test(specifier) && !MAY_USE_FILES.test(path))
    return `uses files ('${specifier}')`;
  if (OUTSIDE_MODULES.test(specifier) && !isOutside) return `uses '${specifier}'`;
  if (TERMINAL_PACKAGES.test(specifier) && !isOutside) return `uses a terminal ('${specifier}')`;
  return undefined;
}

/** Rings of files that import one another, each told once. */
function findCycles(sources: ReadonlyMap<string, ScannedSource>): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(path);
    if (seen >= 0) {
      cycles.push(`cycle: ${[...trail.slice(seen), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const { specifier } of sources.get(path)?.imports ?? []) {
      if (specifier.startsWith('.')) visit(join(dirname(path), specifier), [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return cycles;
}

/**
 * Builds dist/ from src/: the command line (start.cjs, main.cjs) and the library (index.js).
 *
 * The command line is one CommonJS file: that starts fastest (one file to read, and a module
 * that a command does not use is not run). start.cjs is apart, so that an old Node can read
 * it and the compile cache is on before main.cjs is compiled. Packages that are native or
 * heavy stay outside and are loaded by whoever needs them.
 *
 * Safe while dv runs from the same dist/: each file is replaced by rename.
 *
 * node bin/build.mjs            the bundles
 * node bin/build.mjs --types    from an empty dist/, and the library's declarations too
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = path.join(ROOT, 'dist');
const LIBRARY = 'src/index.ts';
/** Small and pure: cheaper inside the bundle than as files of their own. */
const BUNDLED = ['chalk', 'cborg', 'commander'];

const toCommonJs = {
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'importMetaUrl' },
};

const mainStaysApart = {
  name: 'main-stays-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/main\.ts$/ }, () => ({ path: './main.cjs', external: true }));
  },
};

/**
 * Commander can start subcommands that are programs of their own. dv has none, and loading
 * what it takes would be a third of dv's own start.
 */
const noChildProcess = {
  name: 'no-child-process',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer, path: name }) =>
      importer.includes('/commander/') ? { path: name, namespace: 'left-out' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'export default {}' }));
  },
};

/** Bundles src/ into dist/; rejects with esbuild's messages when the source is broken. */
export async function buildBundles() {
  const common = {
    absWorkingDir: ROOT,
    outdir: DIST,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node22',
    external: packagesOutside(),
    logLevel: 'silent',
  };
  const jobs = [
    build({
      ...common,
      ...toCommonJs,
      entryPoints: ['src/cli/main.ts', 'src/store/sqlite-worker.ts'],
      entryNames: '[name]',
      plugins: [noChildProcess],
      banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    }),
    build({
      ...common,
      ...toCommonJs,
      entryPoints: ['src/cli/start.ts'],
      target: 'node12',
      plugins: [mainStaysApart],
    }),
  ];
  if (fs.existsSync(path.join(ROOT, LIBRARY))) {
    jobs.push(build({ ...common, entryPoints: [LIBRARY], format: 'esm' }));
  }
  for (const { outputFiles } of await Promise.all(jobs)) outputFiles.forEach(replaceFile);
}

function packagesOutside() {
  const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
    fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
  );
  const packages = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  return packages.filter((name) => !BUNDLED.includes(name));
}

function replaceFile({ path: file, contents }) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  fs.writeFileSync(temporary, contents);
  fs.renameSync(temporary, file);
}

/** Writes dist/types/: what an importer of the library sees. */
function emitTypes() {
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(
    process.execPath,
    [compiler, '--project', path.join(ROOT, 'tsconfig.types.json')],
    { cwd: ROOT, stdio: 'inherit' },
  );
  if (status !== 0) throw new Error('tsc could not write the declarations');
}

async function main(args) {
  const withTypes = args.includes('--types');
  if (withTypes) fs.rmSync(DIST, { recursive: true, force: true });
  await buildBundles();
  if (withTypes && fs.existsSync(path.join(ROOT, LIBRARY))) emitTypes();
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}

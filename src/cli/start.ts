/**
 * The first code of dv that runs, on whatever Node there is: so it imports nothing of its
 * own statically and uses no syntax an old Node cannot parse. An old Node gets one line
 * that says what dv needs; a good one gets its compile cache and the command line.
 */
import module from 'node:module';

const NEEDED_MAJOR = 22;
const NEEDED_MINOR = 19;

function isTooOld(version: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  return major < NEEDED_MAJOR || (major === NEEDED_MAJOR && minor < NEEDED_MINOR);
}

if (isTooOld(process.versions.node)) {
  console.error(
    `dv: needs Node ${NEEDED_MAJOR}.${NEEDED_MINOR} or newer, and this is ${process.versions.node}`,
  );
  process.exitCode = 2;
} else {
  module.enableCompileCache();
  // The SQLite driver reads this once, when it is loaded: how a store is opened in a directory
  // that cannot be written (store/sqlite-open.ts).
  process.env.SQLITE_USE_URI = '1';
  import('./main.ts').then(({ main }) => main(process.argv.slice(2)));
}

/** Every store passes the same suite. */
import { loadNativeCompression, zlibCompression } from '../../src/store/compression.ts';
import { storeSuite } from '../suites/store-suite.ts';
import { memoryPlace, sqlitePlace } from '../support/store-places.ts';

const native = loadNativeCompression();

storeSuite('memory', memoryPlace);
storeSuite('SQLite with zlib', () => sqlitePlace(zlibCompression));
if (native !== undefined) storeSuite('SQLite with zstd-napi', () => sqlitePlace(native));

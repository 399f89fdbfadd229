/**
 * How fast a CSV file is read into row batches, and written from them: milliseconds of wall
 * clock and of processor, run by run. The first run is what a command pays.
 *
 *   node test/bench/csv.ts FILE [RUNS]
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ByteSource } from '../../src/formats/contract.ts';
import { csv } from '../../src/formats/csv.ts';

const BLOCK = 512 * 1024;

function fileSource(path: string): ByteSource {
  async function* stream(): AsyncGenerator<Uint8Array> {
    const file = openSync(path, 'r');
    try {
      for (;;) {
        const block = Buffer.allocUnsafe(BLOCK);
        const length = readSync(file, block);
        if (length === 0) return;
        yield block.subarray(0, length);
      }
    } finally {
      closeSync(file);
    }
  }
  return { name: path, size: undefined, stream };
}

async function readAll(path: string, write: boolean): Promise<number> {
  const reader = await csv.openReader(fileSource(path), {});
  const columns = reader.columns.map((name) => ({ name, type: 'text' as const }));
  const writer = csv.createWriter({ columns, key: [] }, { format: 'csv' });
  let rows = 0;
  for await (const batch of reader.batches()) {
    rows += batch.rows;
    if (write) await writer.write(batch);
  }
  return rows;
}

async function measure(label: string, work: () => Promise<number>): Promise<void> {
  const wall = performance.now();
  const before = process.cpuUsage();
  const rows = await work();
  const { user, system } = process.cpuUsage(before);
  const elapsed = Math.round(performance.now() - wall);
  const memory = Math.round(process.memoryUsage.rss() / 1e6);
  console.log(
    `${label}: ${rows} rows, ${elapsed} ms wall, ${Math.round((user + system) / 1000)} ms processor, ${memory} MB`,
  );
}

const [path, runs = '5'] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: csv.ts FILE [RUNS]');
for (let run = 0; run < Number(runs); run++) {
  await measure('read', () => readAll(path, false));
}
for (let run = 0; run < Number(runs); run++) {
  await measure('read and write', () => readAll(path, true));
}

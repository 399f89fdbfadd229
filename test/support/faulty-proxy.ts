/** A TCP proxy that cuts, or goes silent, as a test tells it. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface FaultyProxy {
  readonly origin: string;
  /** Connections that were taken. */
  readonly taken: () => number;
  /** Cuts every connection there is. */
  cut(): void;
  /** From now on nothing goes through connections that are there; new ones work. */
  silence(): void;
  /** Cuts each connection when it has passed so many bytes from the server; undefined: none. */
  cutAfter: number | undefined;
}

export async function faultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  let taken = 0;
  const server = createServer((client) => {
    taken += 1;
    const upstream = connect(Number(port), hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    let passed = 0;
    const limit = proxy.cutAfter;
    const end = () => {
      client.destroy();
      upstream.destroy();
      pairs.delete(pair);
    };
    for (const socket of pair) {
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => {
      const room = limit === undefined ? bytes.length : Math.max(0, limit - passed);
      passed += bytes.length;
      if (room >= bytes.length) client.write(bytes);
      else client.end(bytes.subarray(0, room), end);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultyProxy = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: () => taken,
    cut() {
      for (const [client] of [...pairs]) client.destroy();
    },
    silence() {
      for (const [client, upstream] of pairs) {
        client.removeAllListeners('data').pause();
        upstream.removeAllListeners('data').pause();
      }
    },
    cutAfter: undefined,
  };
  onTestFinished(() => {
    proxy.cut();
    server.close();
  });
  return proxy;
}

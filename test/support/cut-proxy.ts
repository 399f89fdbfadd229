/**
 * A proxy that cuts a connection behind every k-th byte of one direction, as networks do: by
 * turns it resets it, which also takes what the other end has not read yet, and closes it. It
 * says how many bytes it let through and how often it cut.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface CutProxy {
  readonly url: string;
  /** Where it leads; may change, as when a server starts again elsewhere. */
  target: number;
  /** Bytes of the direction that is cut, from one cut to the next; Infinity: none. */
  every: number;
  readonly cuts: number;
  /** Cuts that were resets. */
  readonly resets: number;
  /** Bytes let through in the direction that is cut. */
  readonly bytes: number;
}

/** `up`: what the client sends is cut; `down`: what it receives. */
export async function startCutProxy(
  direction: 'up' | 'down',
  target: number,
  every: number,
): Promise<CutProxy> {
  const sockets = new Set<Socket>();
  const state = { target, every, cuts: 0, resets: 0, bytes: 0, since: 0 };
  const server = createServer((client) => {
    const upstream = connect(state.target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.setNoDelay(true);
    }
    const cut = (): void => {
      const isReset = state.cuts % 2 === 0;
      if (isReset) state.resets += 1;
      for (const socket of [client, upstream]) {
        if (isReset) socket.resetAndDestroy();
        else socket.end(() => socket.destroy());
      }
    };
    const pass = (from: Socket, to: Socket, counts: boolean): void => {
      from.on('data', (bytes) => {
        const left = counts ? state.every - state.since : Number.POSITIVE_INFINITY;
        const part = bytes.subarray(0, Math.min(bytes.length, left));
        if (counts) {
          state.bytes += part.length;
          state.since += part.length;
        }
        if (!to.destroyed) to.write(part);
        if (part.length === bytes.length && part.length < left) return;
        state.since = 0;
        state.cuts += 1;
        // What was let through is to arrive, or a cut would be one of everything.
        to.write(Buffer.alloc(0), cut);
      });
      from.on('end', () => to.end()).on('close', () => to.destroy());
    };
    pass(client, upstream, direction === 'up');
    pass(upstream, client, direction === 'down');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.defineProperty(state as typeof state & { url: string }, 'url', { value: url });
}

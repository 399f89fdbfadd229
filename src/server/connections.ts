/**
 * Connections as such: what goes over them in bytes (of TLS: encrypted), and the answer to
 * bytes that are no request.
 */
import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

export interface Traffic {
  readonly connections: () => number;
  readonly received: () => number;
  readonly sent: () => number;
}

export function countTraffic(server: Server): Traffic {
  const open = new Set<Socket>();
  let received = 0;
  let sent = 0;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      received += socket.bytesRead;
      sent += socket.bytesWritten;
    });
  });
  const sumOf = (count: (socket: Socket) => number) =>
    [...open].reduce((sum, socket) => sum + count(socket), 0);
  return {
    connections: () => open.size,
    received: () => received + sumOf((socket) => socket.bytesRead),
    sent: () => sent + sumOf((socket) => socket.bytesWritten),
  };
}

const STATUS_OF_BROKEN: Readonly<Record<string, readonly [status: number, code: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'limit-exceeded'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'connection-lost'],
};

/** For what Node could not read as a request. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code] = STATUS_OF_BROKEN[error.code ?? ''] ?? [400, 'bad-request'];
  const message = `${STATUS_CODES[status]?.toLowerCase()}: nothing was done`;
  const body = JSON.stringify({ error: { code, message } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    'dv-protocol: 1',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

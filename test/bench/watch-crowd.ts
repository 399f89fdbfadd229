/**
 * Many watchers of one server, in a process of their own: `watch-crowd.ts URL WATCHERS SLOW`.
 * The first SLOW of them read 1 KB a second. Says `{"ready":n}` when all have their first
 * bytes; at SIGTERM the milliseconds from the change of a ref to its event here, as
 * `{"events","p50","p99","max"}`.
 */
import { connect, type Socket } from 'node:net';

const [url, watchers, slow] = process.argv.slice(2);
const { host, hostname, port, pathname } = new URL(url);
const delays: number[] = [];
let ready = 0;

function watch(i: number): void {
  const socket = connect(Number(port), hostname);
  const path = `/v1/repos${pathname}/watch?counts=1`;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  let isReady = false;
  const began = () => {
    if (isReady) return;
    isReady = true;
    ready += 1;
    if (ready === Number(watchers)) console.log(JSON.stringify({ ready }));
  };
  if (i < Number(slow)) readSlowly(socket, began);
  else readEvents(socket, began);
}

function readSlowly(socket: Socket, began: () => void): void {
  socket.once('readable', began);
  setInterval(() => socket.read(1024), 1000).unref();
}

function readEvents(socket: Socket, began: () => void): void {
  let rest = '';
  socket.on('data', (bytes: Buffer) => {
    began();
    const now = Date.now();
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const time = /^data: \{"type":"commit".*?"time":(\d+)/.exec(line)?.[1];
      if (time !== undefined) delays.push(now - Number(time));
    }
  });
}

for (let i = 0; i < Number(watchers); i++) watch(i);

process.on('SIGTERM', () => {
  delays.sort((a, b) => a - b);
  const at = (part: number) =>
    delays[Math.min(delays.length - 1, Math.floor(delays.length * part))];
  const told = { events: delays.length, p50: at(0.5), p99: at(0.99), max: delays.at(-1) };
  process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0));
  setTimeout(() => process.exit(0), 500);
});

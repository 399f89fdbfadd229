/** The options of `dv serve`: what can be wrong with them, and with them together. */
import { DvError } from '../../errors.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 7420;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;

/** `host:port`, `host`, `port`, `[::1]:port`. @throws DvError `bad-option` */
export function parseListen(text = `127.0.0.1:${DEFAULT_PORT}`): ListenAddress {
  if (/^\d+$/.test(text)) return { host: '127.0.0.1', port: checkPort(text, text) };
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d+))?$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined) {
    return { host, port: port === undefined ? DEFAULT_PORT : checkPort(port, text) };
  }
  throw new DvError('bad-option', `'${text}' is no address to listen on`, {
    hint: `write host:port, such as 127.0.0.1:${DEFAULT_PORT} or 0.0.0.0:8080`,
  });
}

function checkPort(digits: string, text: string): number {
  const port = Number(digits);
  if (port <= 65_535) return port;
  throw new DvError('bad-option', `'${text}' has a port over 65535`);
}

export function isLoopback({ host }: ListenAddress): boolean {
  return LOOPBACK.test(host);
}

export interface Exposure {
  readonly address: ListenAddress;
  readonly hasTls: boolean;
  readonly behindProxy: boolean;
  readonly hasTokens: boolean;
}

/**
 * Whether anybody may do everything: only where nobody but this machine can ask.
 * @throws DvError `bad-option` where others could ask, and TLS or tokens lack
 */
export function mayBeOpen({ address, hasTls, behindProxy, hasTokens }: Exposure): boolean {
  const isLocal = isLoopback(address) && !behindProxy;
  if (!isLocal && !hasTls && !behindProxy) {
    throw new DvError('bad-option', `listening on '${address.host}' needs TLS`, {
      hint: '--tls-cert and --tls-key, or --behind-proxy when something in front does TLS',
    });
  }
  if (!isLocal && !hasTokens) {
    throw new DvError('bad-option', 'others could ask, and there are no tokens', {
      hint: 'dv token create admin makes the first one',
    });
  }
  return isLocal && !hasTokens;
}

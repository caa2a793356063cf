import type { Socket } from 'node:net';
import type { ErrorReason } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { MAX_PROXY_HEADER_BYTES, type ProxiedClient, readProxyHeader } from './proxy-header.ts';

/** Whose word about clients is believed, and who hears of those that have not given it properly. */
export interface ProxyTrust {
  readonly clock: Pick<Clock, 'schedule'>;
  /** Connections from there must begin with a PROXY header; all others are what they seem. `address` is as the system spells it. */
  readonly trusts: (address: string) => boolean;
  readonly onRefused: (reason: ErrorReason, address: string) => void;
}

/** A proxy sends its header with the connection. */
const HEADER_TIMEOUT_MS = 5000;
/** Connections whose header is waited for; beyond it new ones are closed. */
const MOST_PENDING = 4096;

/** Connections of one listener whose PROXY header has not been read yet. */
export class ProxyPreludes {
  readonly #trust: ProxyTrust;
  #pending = 0;

  constructor(trust: ProxyTrust) {
    this.#trust = trust;
  }

  /** Whether the connection must begin with a header. */
  concerns(socket: Socket): boolean {
    return socket.remoteAddress !== undefined && this.#trust.trusts(socket.remoteAddress);
  }

  /** Reads the header; then the socket is paused, with what came behind the header still to be read. A bad or late one closes it. */
  read(socket: Socket, onRead: (client: ProxiedClient | undefined) => void): void {
    const address = socket.remoteAddress ?? '';
    let bytes: Buffer = Buffer.alloc(0);
    const settle = (): void => {
      this.#pending--;
      cancel();
      socket.off('data', onData).off('end', onGone).off('close', onGone).off('error', onGone);
    };
    const refuse = (reason: ErrorReason): void => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      this.#trust.onRefused(reason, address);
    };
    const onGone = (): void => refuse('bad_proxy_header');
    const onData = (piece: Buffer): void => {
      bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
      const reading = readProxyHeader(bytes);
      if (reading.kind === 'incomplete' && bytes.length < MAX_PROXY_HEADER_BYTES) return;
      if (reading.kind !== 'whole') {
        refuse('bad_proxy_header');
        return;
      }
      settle();
      socket.pause();
      if (bytes.length > reading.length) socket.unshift(bytes.subarray(reading.length));
      onRead(reading.client);
    };
    const cancel = this.#trust.clock.schedule(HEADER_TIMEOUT_MS, () => refuse('proxy_header_timeout'));
    this.#pending++;
    socket.on('data', onData).on('end', onGone).on('close', onGone).on('error', onGone);
    if (this.#pending > MOST_PENDING) refuse('proxy_header_timeout');
  }
}

import { isIP, type LookupFunction } from 'node:net';
import type { RedisClientOptions } from '@redis/client';
import { canonicalAddress } from '../../../lib/canonical-address.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { DialPolicy } from '../../names/index.ts';
import { RedisFailure } from './redis-failure.ts';

/** Where a connection goes, and as whom. */
export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  /** Undefined or empty: nobody signs in. */
  readonly password: string | undefined;
  readonly database: number;
  readonly tls: boolean;
  readonly tlsVerify: boolean;
}

/** How connections are opened. */
export interface RedisDialer {
  /** Whether a connection to this resolved address may be opened. */
  readonly mayDial: DialPolicy;
  /** The addresses of a name; rejects where there are none. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
  readonly clock: Clock;
}

/** A connection. Commands are answered in order; those that wait when it is lost are rejected. */
export interface RedisLink {
  /** False: it was lost, and will not come back. */
  readonly isOpen: boolean;
  send(command: readonly string[]): Promise<unknown>;
  destroy(): void;
}

/**
 * Opens one connection with `@redis/client`, which is loaded by the first of them, and signs in. It never reconnects by itself.
 *
 * @throws RedisFailure when that takes longer than `timeoutMs`, when the address may not be dialled, and when the server refuses
 */
export async function openRedisLink(endpoint: RedisEndpoint, dialer: RedisDialer, timeoutMs: number): Promise<RedisLink> {
  const { host, port } = endpoint;
  if (isIP(host) !== 0 && !mayDial(dialer, host, port)) throw new RedisFailure(`connections to ${host}:${port} are not allowed`);
  const { createClient } = await import('@redis/client');
  const client = createClient(optionsOf(endpoint, dialer, timeoutMs));
  // Every failure is also the rejection of a command.
  client.on('error', () => {});
  // The library waits without end for a server that accepts and then says nothing.
  let isLate = false;
  const cancel = dialer.clock.schedule(timeoutMs, () => {
    isLate = true;
    client.destroy();
  });
  try {
    await client.connect();
  } catch (error) {
    client.destroy();
    throw RedisFailure.of(error, `no connection to ${host}:${port}${isLate ? ` within ${timeoutMs} ms` : ''}`);
  } finally {
    cancel();
  }
  return {
    get isOpen() {
      return client.isReady;
    },
    send: (command) => client.sendCommand([...command]),
    destroy: () => client.destroy(),
  };
}

/** RESP 2: servers before version 6 know no other, and scripts answer with lists of numbers alone. */
function optionsOf(
  endpoint: RedisEndpoint,
  dialer: RedisDialer,
  timeoutMs: number,
): RedisClientOptions<Record<never, never>, Record<never, never>, Record<never, never>, 2> {
  const { host, port, username, password, database, tls, tlsVerify } = endpoint;
  const reach = { host, port, connectTimeout: timeoutMs, reconnectStrategy: false as const, lookup: guardedLookup(dialer, port) };
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return {
    RESP: 2,
    socket: tls ? { ...reach, tls: true, rejectUnauthorized: tlsVerify, ...servername } : reach,
    ...(password === undefined || password === '' ? {} : { password, ...(username === undefined ? {} : { username }) }),
    database,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    // Whoever calls has a clock of his own.
    commandOptions: { timeout: 0 },
  };
}

/** Looks names up where `net.connect` would, and keeps only addresses that may be dialled. */
function guardedLookup(dialer: RedisDialer, port: number): LookupFunction {
  return (name, options, callback) => {
    dialer.resolve(name).then(
      (addresses) => {
        const allowed = addresses
          .filter((address) => mayDial(dialer, address, port))
          .map((address) => ({ address, family: isIP(address) }));
        const [first] = allowed;
        if (first === undefined) callback(new RedisFailure(`${name} has no address that may be connected to`), []);
        else if (options.all === true) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      () => callback(new RedisFailure(`${name} has no address`), []),
    );
  };
}

function mayDial(dialer: RedisDialer, address: string, port: number): boolean {
  const canonical = canonicalAddress(address);
  return canonical !== undefined && dialer.mayDial(canonical, port);
}

import type { UpstreamConnection } from '../upstream/upstream-connection.ts';
import type { BulkBuffers } from './bulk-buffers.ts';
import { RELAY } from './relay-status.ts';
import type { ResponseRelay } from './response-relay.ts';

/**
 * Says where the next bytes of a large body are read into, after `relay` has dealt with those before and come to `status`. A client
 * that once fell behind gets copies: it must not hold large buffers.
 */
export function chooseOwnBuffer(buffers: BulkBuffers, connection: UpstreamConnection, relay: ResponseRelay, status: number): void {
  if (relay.lent) {
    buffers.lose(connection.ownBuffer);
    connection.ownBuffer = undefined;
  } else if (status === RELAY.more && relay.bulk) {
    connection.ownBuffer ??= buffers.take();
  } else {
    dropOwnBuffer(buffers, connection);
  }
}

/** To be called between reads of the connection, or when it reads nothing more. */
export function dropOwnBuffer(buffers: BulkBuffers, connection: UpstreamConnection | undefined): void {
  const buffer = connection?.ownBuffer;
  if (connection === undefined || buffer === undefined) return;
  connection.ownBuffer = undefined;
  buffers.giveBack(buffer);
}

import type { Socket } from 'node:net';

/** Ends a connection at once, with a reset where the system can send one: what was not yet sent is lost, and the peer learns that it was. */
export function resetSocket(socket: Socket): void {
  // While a shutdown is under way libuv refuses to reset, and Node would never close the descriptor.
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

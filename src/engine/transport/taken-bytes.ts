import type { Socket } from 'node:net';

/**
 * Bytes written to `socket` that the kernel has taken, for watching a slow reader. Never falls.
 *
 * How much of a write is through only the handle knows (node:net's own time-out looks there too); where a Node does not show it,
 * progress is seen when a whole write is through. Not for the request path: it is read once a sweep from connections that wait.
 */
export function takenBytes(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle === 'object' && handle !== null) {
    const dispatched: unknown = Reflect.get(handle, 'bytesWritten');
    const queued: unknown = Reflect.get(handle, 'writeQueueSize');
    if (typeof dispatched === 'number' && typeof queued === 'number') return dispatched - queued;
  }
  return socket.bytesWritten - socket.writableLength;
}

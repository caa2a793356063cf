import { createSocket } from 'node:dgram';
import { Socket } from 'node:net';

/**
 * Closes a socket's descriptor that came from another thread and was never opened here. `fs.closeSync` would warn on a worker thread of
 * a descriptor that it does not know; opening and closing it as the socket that it is does the same without a word.
 *
 * @throws Error of the system where it is no such socket
 */
export function closeSocket(descriptor: number, protocol: 'tcp' | 'udp'): void {
  if (protocol === 'tcp') new Socket({ fd: descriptor, readable: false, writable: false }).destroy();
  else createSocket('udp4').bind({ fd: descriptor, exclusive: true }).close();
}

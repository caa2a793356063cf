// The one file that uses what Node does without promising it of UDP sockets: the handle behind one, which alone can stop receiving.
import type { Socket } from 'node:dgram';

interface UdpHandle {
  readonly fd: number;
  recvStop(): number;
}

/** Datagrams stay with the kernel from now on, for others that share the socket; it can still send. False where this Node does not allow it. */
export function stopReceiving(socket: Socket): boolean {
  const handle = handleOf(socket);
  return handle !== undefined && handle.recvStop() === 0;
}

/** The descriptor of a bound socket, for a child that inherits it; undefined where this Node does not tell. */
export function descriptorOf(socket: Socket): number | undefined {
  const fd = handleOf(socket)?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}

function handleOf(socket: Socket): UdpHandle | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  const state: unknown = symbol === undefined ? undefined : Reflect.get(socket, symbol);
  const handle: unknown = typeof state === 'object' && state !== null ? Reflect.get(state, 'handle') : undefined;
  return isUdpHandle(handle) ? handle : undefined;
}

function isUdpHandle(value: unknown): value is UdpHandle {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'recvStop') === 'function' &&
    typeof Reflect.get(value, 'fd') === 'number'
  );
}

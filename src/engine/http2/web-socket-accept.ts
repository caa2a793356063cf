import { hash } from 'node:crypto';

/** RFC 6455 §1.3 */
const SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The `Sec-WebSocket-Accept` by which a server shows that it has understood this `Sec-WebSocket-Key` (RFC 6455 §4.2.2). */
export function webSocketAccept(key: string): string {
  return hash('sha1', key + SUFFIX, 'base64');
}

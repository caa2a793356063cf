import type { ClientConnection, RequestHead } from '../../engine/index.ts';
import type { EditedHeaders } from './edited-headers.ts';

const FORWARDED_FOR = 'x-forwarded-for';

/**
 * The lines that tell an upstream where a request came from, as the gateway itself saw it (APISIX, toward the upstream): the
 * client's own X-Forwarded-For is continued, all others were cut from what it sent. A header that a plugin set is left alone.
 */
export function forwardedLines(connection: ClientConnection, head: RequestHead, headers: EditedHeaders): string {
  const address = connection.remoteAddress;
  const host = head.bytes.toString('latin1', head.hostStart, head.hostEnd);
  let lines = headers.isSet('x-real-ip') ? '' : `X-Real-IP: ${address}\r\n`;
  if (!headers.isSet(FORWARDED_FOR)) {
    const before = headers.sentForwardedFor ? headers.joined(FORWARDED_FOR) : '';
    if (headers.sentForwardedFor) headers.remove(FORWARDED_FOR);
    lines += `X-Forwarded-For: ${before === '' ? address : `${before}, ${address}`}\r\n`;
  }
  if (!headers.isSet('x-forwarded-proto')) lines += `X-Forwarded-Proto: ${connection.encrypted ? 'https' : 'http'}\r\n`;
  if (!headers.isSet('x-forwarded-host') && host !== '') lines += `X-Forwarded-Host: ${host}\r\n`;
  if (!headers.isSet('x-forwarded-port')) lines += `X-Forwarded-Port: ${portOf(host) ?? connection.localPort}\r\n`;
  return lines;
}

/** The port in a Host value, if it names one; the colons inside an IPv6 literal are none. */
function portOf(host: string): string | undefined {
  return /:(\d+)$/.exec(host)?.[1];
}

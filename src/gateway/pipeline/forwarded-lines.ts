import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { ClientFacts } from './client-facts.ts';
import type { EditedHeaders } from './edited-headers.ts';
import type { RouteMatch } from './route-match.ts';

const FORWARDED_FOR = 'x-forwarded-for';
/** The names of a match's `forwardedLines`. */
const ORIGIN_NAMES = ['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'] as const;

/**
 * Takes the client's X-Forwarded-For out of what goes on, before that is written, and gives its value; `''` where there is none or
 * a plugin has set another.
 */
export function takeForwardedFor(headers: EditedHeaders): string {
  if (!headers.hasForwarding || headers.isSet(FORWARDED_FOR)) return '';
  const sent = headers.joined(FORWARDED_FOR);
  headers.remove(FORWARDED_FOR);
  return sent;
}

/**
 * Appends the lines that tell an upstream where a request came from, as the gateway itself saw it (APISIX, toward the upstream):
 * the client's own X-Forwarded-For is continued, all others were cut from what it sent unless it is trusted. A header that a
 * plugin set is left alone. `address` is the client's, `forwardedFor` what `takeForwardedFor` gave.
 */
export function appendForwardedLines(
  writer: ByteWriter,
  facts: ClientFacts,
  match: RouteMatch,
  headers: EditedHeaders,
  address: string,
  forwardedFor: string,
): void {
  if (!headers.hasSet && !headers.hasForwarding) {
    writer.appendAll(facts.addressLines);
    writer.appendAll(match.forwardedLines);
    return;
  }
  if (!headers.isSet('x-real-ip')) writer.appendAscii(`X-Real-IP: ${address}\r\n`);
  if (!headers.isSet(FORWARDED_FOR)) {
    writer.appendAscii(`X-Forwarded-For: ${forwardedFor === '' ? address : `${forwardedFor}, ${address}`}\r\n`);
  }
  if (ORIGIN_NAMES.some((name) => headers.has(name))) appendAbsentLines(writer, match.forwardedLines, headers);
  else writer.appendAll(match.forwardedLines);
}

/** Only the lines whose names are not among the headers. */
function appendAbsentLines(writer: ByteWriter, lines: Buffer, headers: EditedHeaders): void {
  for (const line of lines.toString('latin1').split(/(?<=\r\n)/)) {
    if (!headers.has(line.slice(0, line.indexOf(':')).toLowerCase())) writer.appendAscii(line);
  }
}

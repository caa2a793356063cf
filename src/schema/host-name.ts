import { isIP } from 'node:net';

const LABEL = /^[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$/;
/** A last label of digits (or hexadecimal) is read as an IPv4 address in an old spelling by resolvers: `127.1`, `0x7f.1`. */
const NUMERIC_LABEL = /^(?:\d+|0[xX][0-9a-fA-F]*)$/;
const MAX_NAME_CHARACTERS = 253;

/**
 * The address or name that a configured node host means, without the brackets of an IPv6 literal; undefined when it is neither an
 * IP address nor a host name (RFC 1123 §2.1, underscores allowed because container networks use them).
 */
export function parseNodeHost(host: string): string | undefined {
  const bracketed = /^\[(.*)\]$/.exec(host)?.[1];
  if (bracketed !== undefined) return isIP(bracketed) === 6 && !bracketed.includes('%') ? bracketed : undefined;
  if (isIP(host) !== 0) return host.includes('%') ? undefined : host;
  return isHostName(host) ? host : undefined;
}

function isHostName(host: string): boolean {
  const labels = (host.endsWith('.') ? host.slice(0, -1) : host).split('.');
  const last = labels.at(-1) ?? '';
  return host.length <= MAX_NAME_CHARACTERS && labels.every((label) => LABEL.test(label)) && !NUMERIC_LABEL.test(last);
}

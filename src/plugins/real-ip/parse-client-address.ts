import { canonicalAddress } from '../../lib/canonical-address.ts';

/** Where a client is, as somebody in front says. */
export interface ClientAddress {
  /** Canonical. */
  readonly address: string;
  readonly port: number | undefined;
}

const BRACKETED = /^\[([^\]]*)\](?::(\d{1,5}))?$/;
const WITH_PORT = /^([\d.]+):(\d{1,5})$/;
const HIGHEST_PORT = 65_535;

/** Reads `ip`, `ip:port`, `[ipv6]` and `[ipv6]:port`; undefined for everything else, and for a port that is none. */
export function parseClientAddress(text: string): ClientAddress | undefined {
  const [, host = text, port] = BRACKETED.exec(text) ?? WITH_PORT.exec(text) ?? [];
  const address = canonicalAddress(host);
  if (address === undefined || (text.startsWith('[') && !host.includes(':'))) return undefined;
  if (port === undefined) return { address, port: undefined };
  const number = Number(port);
  return number >= 1 && number <= HIGHEST_PORT ? { address, port: number } : undefined;
}

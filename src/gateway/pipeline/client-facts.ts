import type { ClientConnection } from '../../engine/index.ts';
import type { NetworkSet } from '../../lib/network-set.ts';
import { ownBytes } from '../../lib/own-bytes.ts';
import { logField } from './log-field.ts';

/**
 * What becomes of the headers by which a proxy in front says what it saw. `usual`: X-Forwarded-For is continued, all others are
 * written anew. With trusted addresses those are `believed`, and from everybody else X-Forwarded-For is `ignored` too
 * (APISIX `trusted_addresses`).
 */
export type ForwardingTrust = 'usual' | 'believed' | 'ignored';

/** What is the same for all requests of one client's connection. */
export class ClientFacts {
  readonly trust: ForwardingTrust;
  /** `X-Real-IP` and `X-Forwarded-For`, when the client sent none. */
  readonly addressLines: Buffer;
  /** `,"client":…` for the access log. */
  readonly logText: Buffer;

  constructor(address: string, trust: ForwardingTrust) {
    this.trust = trust;
    this.addressLines = ownBytes(`X-Real-IP: ${address}\r\nX-Forwarded-For: ${address}\r\n`);
    this.logText = ownBytes(logField('client', address));
  }
}

/** The facts of a connection, worked out at its first request. */
export function clientFactsOf(connection: ClientConnection, trusted: NetworkSet | undefined): ClientFacts {
  if (connection.context instanceof ClientFacts) return connection.context;
  const facts = new ClientFacts(connection.remoteAddress, trustIn(connection.remoteAddress, trusted));
  connection.context = facts;
  return facts;
}

function trustIn(address: string, trusted: NetworkSet | undefined): ForwardingTrust {
  if (trusted === undefined) return 'usual';
  return trusted.has(address) ? 'believed' : 'ignored';
}

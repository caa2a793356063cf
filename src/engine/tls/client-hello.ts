import { HelloFields } from './hello-fields.ts';

/** What of a client's first message decides how it is answered. */
export interface ClientHello {
  /** The host it asks for (RFC 6066 §3), in lower case and without a final dot; undefined where it names none. */
  readonly serverName: string | undefined;
  /** What it would speak inside (ALPN, RFC 7301), in its order. */
  readonly protocols: readonly string[];
  /** The names of the keys that its tickets are sealed with: the first 16 bytes of each. */
  readonly ticketKeyNames: readonly Buffer[];
}

const EXTENSION = { serverName: 0, protocols: 16, sessionTicket: 35, preSharedKey: 41 } as const;
const HOST_NAME = 0;
const RANDOM_BYTES = 32;
const MAX_SESSION_ID_BYTES = 32;
const MAX_NAME_BYTES = 255;
const KEY_NAME_BYTES = 16;
/** More tickets are nobody's; the rest is left unread. */
const MAX_TICKETS = 8;
const SERVER_NAME = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * Reads the body of a ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2) strictly: every length must come out even, no extension may
 * stand twice, a name must be a host name. Undefined for what is none.
 */
export function parseClientHello(body: Buffer): ClientHello | undefined {
  const fields = new HelloFields(body);
  fields.skip(2 + RANDOM_BYTES);
  const sessionId = fields.vector(1);
  const suites = fields.vector(2);
  const compressions = fields.vector(1);
  if (sessionId.length > MAX_SESSION_ID_BYTES || suites.length < 2 || suites.length % 2 !== 0 || compressions.length === 0)
    return undefined;
  const extensions = fields.atEnd ? Buffer.alloc(0) : fields.vector(2);
  return fields.isWhole ? readExtensions(extensions) : undefined;
}

function readExtensions(bytes: Buffer): ClientHello | undefined {
  const seen = new Set<number>();
  const fields = new HelloFields(bytes);
  let serverName: string | undefined;
  let protocols: readonly string[] = [];
  let ticketKeyNames: readonly Buffer[] = [];
  while (!fields.atEnd && !fields.broken) {
    const type = fields.number(2);
    const value = fields.vector(2);
    if (fields.broken || seen.has(type)) return undefined;
    seen.add(type);
    switch (type) {
      case EXTENSION.serverName:
        serverName = readServerName(value);
        if (serverName === undefined) return undefined;
        break;
      case EXTENSION.protocols: {
        const read = readProtocols(value);
        if (read === undefined) return undefined;
        protocols = read;
        break;
      }
      case EXTENSION.sessionTicket:
        if (value.length >= KEY_NAME_BYTES) ticketKeyNames = [...ticketKeyNames, value.subarray(0, KEY_NAME_BYTES)];
        break;
      case EXTENSION.preSharedKey:
        ticketKeyNames = [...ticketKeyNames, ...identityNames(value)];
        break;
      default:
    }
  }
  return fields.isWhole ? { serverName, protocols, ticketKeyNames } : undefined;
}

/** One name of one kind: there never was another, and a list could be read in two ways. */
function readServerName(value: Buffer): string | undefined {
  const list = new HelloFields(value);
  const names = new HelloFields(list.vector(2));
  const kind = names.number(1);
  const name = names.vector(2);
  if (!list.isWhole || !names.isWhole || kind !== HOST_NAME || name.length > MAX_NAME_BYTES) return undefined;
  const text = name.toString('latin1').toLowerCase();
  const relative = text.endsWith('.') ? text.slice(0, -1) : text;
  return SERVER_NAME.test(relative) ? relative : undefined;
}

function readProtocols(value: Buffer): readonly string[] | undefined {
  const list = new HelloFields(value);
  const names = new HelloFields(list.vector(2));
  const protocols: string[] = [];
  while (!names.atEnd && !names.broken) {
    const name = names.vector(1);
    if (name.length === 0) return undefined;
    protocols.push(name.toString('latin1'));
  }
  return list.isWhole && names.isWhole && protocols.length > 0 ? protocols : undefined;
}

/** OpenSSL looks at the rest of this extension, and refuses what is malformed. */
function identityNames(value: Buffer): readonly Buffer[] {
  const identities = new HelloFields(new HelloFields(value).vector(2));
  const names: Buffer[] = [];
  while (!identities.atEnd && names.length < MAX_TICKETS) {
    const identity = identities.vector(2);
    identities.skip(4);
    if (identities.broken) break;
    if (identity.length >= KEY_NAME_BYTES) names.push(identity.subarray(0, KEY_NAME_BYTES));
  }
  return names;
}

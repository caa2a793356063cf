import { isIPv4, isIPv6 } from 'node:net';

/** Who a proxy in front says that the client is. */
export interface ProxiedClient {
  readonly address: string;
  readonly port: number;
}

/** How far a PROXY header has been read. */
export type ProxyHeaderReading =
  | { readonly kind: 'incomplete' }
  /** No header, or none that is well-formed and for TCP. */
  | { readonly kind: 'malformed' }
  /** `client` is undefined where the proxy speaks for itself (LOCAL, UNKNOWN). `length` is the header's. */
  | { readonly kind: 'whole'; readonly client: ProxiedClient | undefined; readonly length: number };

/** With all that version 2 may carry beside the addresses; more is nobody's header. */
export const MAX_PROXY_HEADER_BYTES = 4096;

const INCOMPLETE: ProxyHeaderReading = { kind: 'incomplete' };
const MALFORMED: ProxyHeaderReading = { kind: 'malformed' };
const TEXT_START = Buffer.from('PROXY ', 'latin1');
const BINARY_START = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
/** Its line end included (specification, §2.1). */
const MAX_TEXT_BYTES = 107;
const BINARY_HEAD_BYTES = 16;
const LOCAL = 0x20;
const PROXY = 0x21;
const FAMILY = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21 } as const;
const PORT = /^(?:0|[1-9]\d{0,4})$/;

/** Reads the header of HAProxy's PROXY protocol, version 1 or 2, off the beginning of a connection. Strict: what could be read in two ways is malformed. */
export function readProxyHeader(bytes: Buffer): ProxyHeaderReading {
  if (startsAs(bytes, TEXT_START)) return readText(bytes);
  if (startsAs(bytes, BINARY_START)) return readBinary(bytes);
  return MALFORMED;
}

function startsAs(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readText(bytes: Buffer): ProxyHeaderReading {
  const end = bytes.subarray(0, MAX_TEXT_BYTES).indexOf('\r\n', 0, 'latin1');
  if (end === -1) return bytes.length < MAX_TEXT_BYTES ? INCOMPLETE : MALFORMED;
  const length = end + 2;
  const [, protocol = '', source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (protocol === 'UNKNOWN') return { kind: 'whole', client: undefined, length };
  const isAddress = protocol === 'TCP4' ? isIPv4 : protocol === 'TCP6' ? isPlainIPv6 : undefined;
  if (isAddress === undefined || more.length > 0 || !isAddress(source) || !isAddress(destination)) return MALFORMED;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return MALFORMED;
  return { kind: 'whole', client: { address: source, port: Number(sourcePort) }, length };
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65_535;
}

function readBinary(bytes: Buffer): ProxyHeaderReading {
  if (bytes.length < BINARY_HEAD_BYTES) return INCOMPLETE;
  const [command, family] = [bytes.readUInt8(12), bytes.readUInt8(13)];
  const length = BINARY_HEAD_BYTES + bytes.readUInt16BE(14);
  if ((command !== LOCAL && command !== PROXY) || length > MAX_PROXY_HEADER_BYTES) return MALFORMED;
  const addressBytes = family === FAMILY.tcp4 ? 4 : family === FAMILY.tcp6 ? 16 : 0;
  // What a proxy says of itself is skipped, whatever it is.
  const counts = command === PROXY && family !== FAMILY.unspecified;
  if (counts && (addressBytes === 0 || length < BINARY_HEAD_BYTES + 2 * addressBytes + 4)) return MALFORMED;
  if (bytes.length < length) return INCOMPLETE;
  if (!counts) return { kind: 'whole', client: undefined, length };
  const source = bytes.subarray(BINARY_HEAD_BYTES, BINARY_HEAD_BYTES + addressBytes);
  const address = addressBytes === 4 ? source.join('.') : textOfIPv6(source);
  return { kind: 'whole', client: { address, port: bytes.readUInt16BE(BINARY_HEAD_BYTES + 2 * addressBytes) }, length };
}

/** Canonical spelling is the business of whoever accepts the connection. */
function textOfIPv6(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16)).join(':');
}

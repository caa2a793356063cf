import type { ErrorReason } from '../../errors/index.ts';
import { grpcTimeoutMs } from './grpc-timeout.ts';

/** A request of HTTP/2 as the engine reads requests. */
export interface RequestForm {
  /** The head as HTTP/1.1, one byte a character, up to and with the empty line. */
  readonly head: string;
  readonly body: 'none' | 'length' | 'chunked';
  readonly isHead: boolean;
  /** Bytes of the body where `body` is `length`; NaN where it is none, which the engine refuses. */
  readonly contentLength: number;
  /** The client speaks gRPC, so it looks for the outcome in trailer fields. */
  readonly isGrpc: boolean;
  /** How long a call of gRPC may take; undefined where it has no deadline. */
  readonly deadlineMs: number | undefined;
  /** The client has a use for trailer fields. */
  readonly takesTrailers: boolean;
  /** The `Sec-WebSocket-Key` sent for a client that asked for a WebSocket (RFC 8441); undefined for other requests. */
  readonly webSocketKey: string | undefined;
}

/** RFC 9110 §5.6.2, in lower case (RFC 9113 §8.2). */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 §5.5 without outer white space (RFC 9113 §8.2.1). */
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const AUTHORITY = /^[\x21-\x7e]+$/;
const LENGTH = /^\d{1,15}$/;
const PATH = /^\/[\x21-\x7e\x80-\xff]*$/;
/** Fields of HTTP/1.1's connections: none of them has a meaning here (RFC 9113 §8.2.2), and some would have one there. */
const REFUSED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
const WITH_LENGTH: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const GRPC = /^application\/grpc(?:$|[+;\t ])/i;

interface Pseudo {
  method: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  path: string | undefined;
  protocol: string | undefined;
}

interface Regular {
  lines: string;
  host: string | undefined;
  cookie: string | undefined;
  /** Left out of what asks for a WebSocket in the way of HTTP/2, which has none. */
  keyLine: string;
  hasLength: boolean;
  contentLength: number;
  takesTrailers: boolean;
  isGrpc: boolean;
  deadlineMs: number | undefined;
}

/**
 * Writes the fields of a request, name and value in turn as they came, as an HTTP/1.1 head; or tells why they are none (RFC 9113 §8).
 * Every character that could end a line, a field or a part of the request line is refused here, whatever was checked before, so the head
 * says one request and this one. `newKey` makes the key of a WebSocket.
 */
export function requestForm(fields: readonly string[], endsHere: boolean, newKey: () => string): RequestForm | ErrorReason {
  const pseudo: Pseudo = { method: undefined, scheme: undefined, authority: undefined, path: undefined, protocol: undefined };
  const regular: Regular = {
    lines: '',
    host: undefined,
    cookie: undefined,
    keyLine: '',
    hasLength: false,
    contentLength: 0,
    takesTrailers: false,
    isGrpc: false,
    deadlineMs: undefined,
  };
  let index = 0;
  for (; index < fields.length && fields[index]?.startsWith(':') === true; index += 2) {
    if (!takePseudo(pseudo, fields[index] ?? '', fields[index + 1] ?? '')) return 'bad_request_line';
  }
  for (; index < fields.length; index += 2) {
    const failure = takeField(regular, fields[index] ?? '', fields[index + 1] ?? '');
    if (failure !== undefined) return failure;
  }
  return compose(pseudo, regular, endsHere, newKey);
}

function takePseudo(pseudo: Pseudo, name: string, value: string): boolean {
  switch (name) {
    case ':method':
    case ':scheme':
    case ':authority':
    case ':path':
    case ':protocol': {
      const key = PSEUDO_KEYS[name];
      if (pseudo[key] !== undefined) return false;
      pseudo[key] = value;
      return true;
    }
    default:
      return false;
  }
}

const PSEUDO_KEYS = {
  ':method': 'method',
  ':scheme': 'scheme',
  ':authority': 'authority',
  ':path': 'path',
  ':protocol': 'protocol',
} as const;

function takeField(regular: Regular, name: string, value: string): ErrorReason | undefined {
  if (!NAME.test(name) || !VALUE.test(value) || REFUSED.has(name)) return 'bad_header';
  switch (name) {
    case 'host':
      if (regular.host !== undefined) return 'bad_host';
      regular.host = value;
      return undefined;
    case 'cookie':
      // RFC 9113 §8.2.3: crumbs are one field again before anybody else sees them.
      regular.cookie = regular.cookie === undefined ? value : `${regular.cookie}; ${value}`;
      return undefined;
    case 'te':
      if (value.toLowerCase() !== 'trailers') return 'bad_header';
      regular.takesTrailers = true;
      return undefined;
    case 'sec-websocket-key':
      regular.keyLine += `${name}: ${value}\r\n`;
      return undefined;
    case 'content-length':
      regular.hasLength = true;
      regular.contentLength = LENGTH.test(value) ? Number(value) : Number.NaN;
      break;
    case 'content-type':
      if (GRPC.test(value)) regular.isGrpc = true;
      break;
    case 'grpc-timeout':
      regular.deadlineMs = grpcTimeoutMs(value);
      break;
    default:
  }
  regular.lines += `${name}: ${value}\r\n`;
  return undefined;
}

function compose(pseudo: Pseudo, regular: Regular, endsHere: boolean, newKey: () => string): RequestForm | ErrorReason {
  const { method, scheme, path, protocol } = pseudo;
  if (method === undefined || !METHOD.test(method)) return 'bad_request_line';
  const isWebSocket = method === 'CONNECT' && protocol?.toLowerCase() === 'websocket';
  if (method === 'CONNECT' && !isWebSocket) return 'method_not_implemented';
  if (protocol !== undefined && !isWebSocket) return 'bad_request_line';
  if (scheme !== 'http' && scheme !== 'https') return 'bad_request_line';
  if (path === undefined || !(PATH.test(path) || (path === '*' && method === 'OPTIONS'))) return 'bad_request_line';
  if (isWebSocket && (endsHere || regular.hasLength)) return 'bad_request_line';
  const host = hostOf(pseudo.authority, regular.host);
  if (host === undefined) return 'bad_host';
  const webSocketKey = isWebSocket ? newKey() : undefined;
  const body = endsHere || isWebSocket ? 'none' : regular.hasLength ? 'length' : 'chunked';
  // Whatever follows on the stream, it can never be read as another request.
  const connection = isWebSocket ? 'close, upgrade' : 'close';
  let head = `${isWebSocket ? 'GET' : method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: ${connection}\r\n${regular.lines}`;
  if (regular.cookie !== undefined) head += `cookie: ${regular.cookie}\r\n`;
  if (body === 'chunked') head += 'Transfer-Encoding: chunked\r\n';
  // RFC 9110 §8.6: of methods with a content even an empty one has a length.
  else if (body === 'none' && !regular.hasLength && WITH_LENGTH.has(method)) head += 'Content-Length: 0\r\n';
  if (webSocketKey === undefined) head += regular.keyLine;
  else head += `Upgrade: websocket\r\nSec-WebSocket-Key: ${webSocketKey}\r\n`;
  return {
    head: `${head}\r\n`,
    body,
    contentLength: regular.contentLength,
    isHead: method === 'HEAD',
    isGrpc: regular.isGrpc,
    deadlineMs: regular.isGrpc ? regular.deadlineMs : undefined,
    takesTrailers: regular.takesTrailers || regular.isGrpc,
    webSocketKey,
  };
}

/** RFC 9113 §8.3.1: where both are there they name the same, and nothing downstream can choose the other one. */
function hostOf(authority: string | undefined, host: string | undefined): string | undefined {
  const value = authority ?? host;
  if (value === undefined || !AUTHORITY.test(value)) return undefined;
  return host === undefined || host.toLowerCase() === value.toLowerCase() ? value : undefined;
}

/** Trailer fields of a request as HTTP/1.1 writes them, without the empty line; undefined for such as must not be there. */
export function trailerLines(fields: readonly string[]): string | undefined {
  let lines = '';
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const value = fields[index + 1] ?? '';
    if (!NAME.test(name) || !VALUE.test(value) || REFUSED.has(name)) return undefined;
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

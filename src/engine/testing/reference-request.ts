import { type ReferenceBody, type ReferenceBodyLimits, readChunkedBody, readLengthBody } from './reference-body.ts';
import {
  connectionOptions,
  lengthOf,
  lowerCase,
  MALFORMED,
  type ReferenceField,
  readSection,
  tokenLength,
  valuesOf,
} from './reference-scan.ts';

/** Sizes that a request may have. */
export interface ReferenceRequestLimits extends ReferenceBodyLimits {
  readonly targetBytes: number;
  readonly headBytes: number;
  readonly headerCount: number;
}

/** What a request's head says. */
export interface ReferenceRequestHead {
  readonly method: string;
  /** Path and query, `*`, or nothing for OPTIONS of an authority; an absolute-form's authority is in `host`. */
  readonly target: string;
  readonly host: string;
  readonly minorVersion: 0 | 1;
  readonly fields: readonly ReferenceField[];
  /** Names of fields, in lower case, that Connection keeps between neighbours. */
  readonly named: readonly string[];
  readonly framing: 'none' | 'length' | 'chunked';
  readonly contentLength: number;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
}

/** The outcome for the bytes at the beginning of a connection: RFC 9112 with every choice made the strict way. */
export type ReferenceRequest =
  | { readonly kind: 'unfinished'; readonly head: ReferenceRequestHead | undefined }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'bad body'; readonly head: ReferenceRequestHead }
  | ({ readonly kind: 'whole'; readonly head: ReferenceRequestHead } & ReferenceBody);

interface RequestLine {
  readonly method: string;
  readonly target: string;
  /** Authority of an absolute-form target, or empty. */
  readonly authority: string;
  readonly minorVersion: 0 | 1;
  readonly end: number;
}

const HOST = /^(?:[A-Za-z0-9\-._~!$&'()*+;=]+|\[[0-9A-Fa-f:.]{2,}\])(?::([0-9]{0,5}))?$/;
const HIGHEST_PORT = 65_535;
const MOST_METHOD_BYTES = 32;
const MOST_CONNECTION_OPTIONS = 32;

/** Reads the first request in the text, one character for each byte. */
export function readReferenceRequest(text: string, limits: ReferenceRequestLimits): ReferenceRequest {
  const start = /^(?:\r\n){0,2}/.exec(text)?.[0].length ?? 0;
  if (text.length === start || text.slice(start) === '\r') return { kind: 'unfinished', head: undefined };
  const window = text.slice(start, start + limits.headBytes);
  const unfinished: ReferenceRequest = window.length < limits.headBytes ? { kind: 'unfinished', head: undefined } : refused(431);
  const line = readRequestLine(window, limits.targetBytes);
  if (line === 'unfinished') return unfinished;
  if (typeof line === 'number') return refused(line);
  const section = readSection(window, line.end, limits.headerCount);
  if (section === 'unfinished') return unfinished;
  if (section === 'too many') return refused(431);
  if (section === 'malformed') return refused(400);
  const head = interpretHead(line, section.fields);
  if (typeof head === 'number') return refused(head);
  const bodyStart = start + section.end;
  if (head.framing === 'none') return { kind: 'whole', head, body: '', trailers: [], end: bodyStart };
  const body = head.framing === 'length' ? readLengthBody(text, bodyStart, head.contentLength) : readChunkedBody(text, bodyStart, limits);
  if (body === 'unfinished') return { kind: 'unfinished', head };
  if (body === MALFORMED) return { kind: 'bad body', head };
  return { kind: 'whole', head, ...body };
}

function refused(status: number): ReferenceRequest {
  return { kind: 'refused', status };
}

/** RFC 9112 §3: `method SP request-target SP HTTP-version CRLF`; a number is the status that refuses. */
function readRequestLine(text: string, targetBytes: number): RequestLine | 'unfinished' | number {
  const method = text.slice(0, tokenLength(text));
  if (method.length > MOST_METHOD_BYTES) return 501;
  if (method === text) return 'unfinished';
  if (method === '' || text[method.length] !== ' ') return 400;
  const behindMethod = text.slice(method.length + 1);
  const target = /^[!-"$-~\x80-\xff]*/.exec(behindMethod)?.[0] ?? '';
  if (target.length > targetBytes) return 414;
  if (target === behindMethod) return 'unfinished';
  if (target === '' || behindMethod[target.length] !== ' ') return 400;
  const version = behindMethod.slice(target.length + 1, target.length + 11);
  const shape = /^HTTP\/[0-9]\.[0-9]\r\n$/;
  if (!shape.test(version)) {
    const major = /^HTTP\/([0-9])/.exec(version)?.[1];
    if (major !== undefined && major !== '1') return 505;
    const completed = version + 'HTTP/1.1\r\n'.slice(version.length);
    return version.length < 10 && shape.test(completed) ? 'unfinished' : 400;
  }
  if (version[5] !== '1') return 505;
  const minorVersion = version[7] === '0' ? 0 : 1;
  const end = method.length + 1 + target.length + 1 + version.length;
  const form = readTarget(method, target);
  return typeof form === 'number' ? form : { method, ...form, minorVersion, end };
}

/** The forms of RFC 9112 §3.2. */
function readTarget(method: string, target: string): { readonly target: string; readonly authority: string } | number {
  if (lowerCase(method) === 'connect') return 501;
  if (target.startsWith('/')) return { target, authority: '' };
  if (target === '*') return method === 'OPTIONS' ? { target, authority: '' } : 400;
  const absolute = /^https?:\/\/([^/?]*)(.*)$/is.exec(target);
  const [, authority = '', rest = ''] = absolute ?? [];
  if (!isHost(authority) || rest.startsWith('?')) return 400;
  return { target: rest !== '' ? rest : method === 'OPTIONS' ? '' : '/', authority };
}

/** RFC 9112 §3.2, §6, §9.3 and RFC 9110 §10.1.1; a number is the status that refuses. */
function interpretHead(line: RequestLine, fields: readonly ReferenceField[]): ReferenceRequestHead | number {
  for (const [index, [name, value]] of fields.entries()) {
    const before = fields.slice(0, index);
    const known = lowerCase(name);
    const repeated = valuesOf(before, known).length > 0;
    if (known === 'host' && repeated) return 400;
    if (known === 'content-length' && (repeated || lengthOf(value) === undefined)) return 400;
    if (known === 'transfer-encoding' && (repeated || lowerCase(value) !== 'chunked')) return 400;
    if (known === 'connection' && connectionOptions(fields.slice(0, index + 1)).length > MOST_CONNECTION_OPTIONS) return 400;
    if (known === 'expect' && lowerCase(value) !== '100-continue') return 417;
  }
  const [hostValue] = valuesOf(fields, 'host');
  if (hostValue === undefined && line.minorVersion === 1) return 400;
  if (hostValue !== undefined && !isHost(hostValue)) return 400;
  if (hostValue !== undefined && line.authority !== '' && lowerCase(hostValue) !== lowerCase(line.authority)) return 400;
  const chunked = valuesOf(fields, 'transfer-encoding').length > 0;
  const [lengthValue] = valuesOf(fields, 'content-length');
  if (chunked && (lengthValue !== undefined || line.minorVersion === 0)) return 400;
  const options = connectionOptions(fields);
  const contentLength = lengthOf(lengthValue ?? '0') ?? 0;
  return {
    method: line.method,
    target: line.target,
    host: hostValue ?? line.authority,
    minorVersion: line.minorVersion,
    fields,
    named: options.filter((option) => option !== 'close' && option !== 'keep-alive'),
    framing: chunked ? 'chunked' : lengthValue === undefined ? 'none' : 'length',
    contentLength,
    keepAlive: !options.includes('close') && (line.minorVersion === 1 || options.includes('keep-alive')),
    expectsContinue: line.minorVersion === 1 && valuesOf(fields, 'expect').length > 0 && (chunked || contentLength > 0),
  };
}

function isHost(text: string): boolean {
  const [whole, port = ''] = HOST.exec(text) ?? [];
  return whole !== undefined && Number(port) <= HIGHEST_PORT;
}

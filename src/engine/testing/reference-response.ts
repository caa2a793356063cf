import { type ReferenceBody, type ReferenceBodyLimits, readChunkedBody, readLengthBody } from './reference-body.ts';
import { connectionOptions, lengthOf, lowerCase, type ReferenceField, readSection, valueLength, valuesOf } from './reference-scan.ts';

/** Sizes that a response may have. */
export interface ReferenceResponseLimits extends ReferenceBodyLimits {
  readonly headBytes: number;
  readonly headerCount: number;
}

/** What a response's head says. */
export interface ReferenceResponseHead {
  readonly status: number;
  /** Status and reason as sent. */
  readonly statusText: string;
  readonly minorVersion: 0 | 1;
  readonly fields: readonly ReferenceField[];
  readonly named: readonly string[];
  readonly framing: 'length' | 'chunked' | 'close';
  readonly contentLength: number;
  readonly keepAlive: boolean;
}

/** The outcome for the bytes at the beginning of a connection to an upstream. */
export type ReferenceResponse =
  | { readonly kind: 'unfinished'; readonly head: ReferenceResponseHead | undefined }
  | { readonly kind: 'refused' }
  | { readonly kind: 'bad body'; readonly head: ReferenceResponseHead }
  | ({ readonly kind: 'whole'; readonly head: ReferenceResponseHead } & ReferenceBody);

/** How the request and the end of the connection bear on where a response ends (RFC 9112 §6.3). */
export interface ReferenceResponseContext {
  /** The request was HEAD. */
  readonly isHead: boolean;
  /** The text is all there will ever be. */
  readonly ended: boolean;
}

/** Reads the first response in the text, one character for each byte. */
export function readReferenceResponse(text: string, limits: ReferenceResponseLimits, context: ReferenceResponseContext): ReferenceResponse {
  const head = readHead(text, limits);
  if (head === 'unfinished') return { kind: 'unfinished', head: undefined };
  if (head === 'refused') return { kind: 'refused' };
  const { status, framing } = head.head;
  if (context.isHead || status < 200 || status === 204 || status === 304) return { kind: 'whole', ...head, body: '', trailers: [] };
  if (framing === 'close') {
    if (!context.ended) return { kind: 'unfinished', head: head.head };
    return { kind: 'whole', head: head.head, body: text.slice(head.end), trailers: [], end: text.length };
  }
  const body = framing === 'length' ? readLengthBody(text, head.end, head.head.contentLength) : readChunkedBody(text, head.end, limits);
  if (body === 'unfinished') return { kind: 'unfinished', head: head.head };
  if (body === 'malformed') return { kind: 'bad body', head: head.head };
  return { kind: 'whole', head: head.head, ...body };
}

function readHead(
  text: string,
  limits: ReferenceResponseLimits,
): { readonly head: ReferenceResponseHead; readonly end: number } | 'unfinished' | 'refused' {
  const window = text.slice(0, limits.headBytes);
  const unfinished = window.length < limits.headBytes ? 'unfinished' : 'refused';
  const line = readStatusLine(window);
  if (line === 'unfinished') return unfinished;
  if (line === 'refused') return 'refused';
  const section = readSection(window, line.end, limits.headerCount);
  if (section === 'unfinished') return unfinished;
  if (typeof section === 'string') return 'refused';
  const { fields } = section;
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  const options = connectionOptions(fields);
  if (lengths.length > 1 || codings.length > 1 || options.length > 32) return 'refused';
  const contentLength = lengthOf(lengths[0] ?? '0');
  if (contentLength === undefined || codings.some((coding) => lowerCase(coding) !== 'chunked')) return 'refused';
  if (codings.length > 0 && (lengths.length > 0 || line.minorVersion === 0)) return 'refused';
  const head: ReferenceResponseHead = {
    status: Number(line.statusText.slice(0, 3)),
    statusText: line.statusText,
    minorVersion: line.minorVersion,
    fields,
    named: options.filter((option) => option !== 'close' && option !== 'keep-alive'),
    framing: codings.length > 0 ? 'chunked' : lengths.length > 0 ? 'length' : 'close',
    contentLength,
    keepAlive: !options.includes('close') && (line.minorVersion === 1 || options.includes('keep-alive')),
  };
  return { head, end: section.end };
}

/** RFC 9112 §4; the space before an empty reason may be missing. */
function readStatusLine(
  text: string,
): { readonly statusText: string; readonly minorVersion: 0 | 1; readonly end: number } | 'unfinished' | 'refused' {
  const start = text.slice(0, 13);
  const isPrefix = /^HTTP\/1\.[0-9] [0-9]{3}[ \r]$/.test(start + 'HTTP/1.1 200 '.slice(start.length));
  if (!isPrefix) return 'refused';
  if (text.length < 13) return 'unfinished';
  if (text[9] === '0') return 'refused';
  const statusText = text.slice(9, 12 + (text[12] === ' ' ? valueLength(text.slice(12)) : 0));
  const lineEnd = text.slice(9 + statusText.length, 11 + statusText.length);
  if (lineEnd === '' || lineEnd === '\r') return 'unfinished';
  if (lineEnd !== '\r\n') return 'refused';
  return { statusText, minorVersion: text[7] === '0' ? 0 : 1, end: 11 + statusText.length };
}

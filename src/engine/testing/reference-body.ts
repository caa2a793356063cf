import { MALFORMED, type ReferenceField, readSection, UNFINISHED, valueLength } from './reference-scan.ts';

/** Sizes that a chunked body's framing may have. */
export interface ReferenceBodyLimits {
  readonly chunkExtensionBytes: number;
  readonly trailerBytes: number;
}

/** A whole body, and where it ends in the text. */
export interface ReferenceBody {
  readonly body: string;
  readonly trailers: readonly ReferenceField[];
  readonly end: number;
}

/** More trailer fields than any honest sender has. */
const MOST_TRAILERS = 64;
/** As many hexadecimal digits as a safe integer has room for. */
const MOST_SIZE_DIGITS = 13;

/** A body of known length. */
export function readLengthBody(text: string, start: number, length: number): ReferenceBody | 'unfinished' {
  if (text.length - start < length) return UNFINISHED;
  return { body: text.slice(start, start + length), trailers: [], end: start + length };
}

/** A chunked body (RFC 9112 §7.1): `size [BWS ";" extensions] CRLF data CRLF`, the last chunk, trailers. */
export function readChunkedBody(text: string, start: number, limits: ReferenceBodyLimits): ReferenceBody | 'unfinished' | 'malformed' {
  let body = '';
  let extensionBytes = 0;
  let at = start;
  for (;;) {
    const size = /^[0-9A-Fa-f]*/.exec(text.slice(at, at + MOST_SIZE_DIGITS + 1))?.[0] ?? '';
    if (size.length > MOST_SIZE_DIGITS) return MALFORMED;
    at += size.length;
    if (at === text.length) return UNFINISHED;
    if (size === '') return MALFORMED;
    const space = /^[ \t]*/.exec(text.slice(at))?.[0] ?? '';
    at += space.length;
    extensionBytes += space.length;
    if (extensionBytes > limits.chunkExtensionBytes) return MALFORMED;
    if (at === text.length) return UNFINISHED;
    if (text[at] === ';') {
      const extension = valueLength(text.slice(at));
      extensionBytes += extension;
      at += extension;
    } else if (space !== '') return MALFORMED;
    if (extensionBytes > limits.chunkExtensionBytes) return MALFORMED;
    const sizeEnd = readLineEnd(text, at);
    if (sizeEnd !== undefined) return sizeEnd;
    at += 2;
    const length = Number.parseInt(size, 16);
    if (length === 0) return readTrailers(text, at, body, limits.trailerBytes);
    if (text.length - at < length) return UNFINISHED;
    body += text.slice(at, at + length);
    at += length;
    const dataEnd = readLineEnd(text, at);
    if (dataEnd !== undefined) return dataEnd;
    at += 2;
  }
}

/** Undefined where CR LF stands there. */
function readLineEnd(text: string, at: number): 'unfinished' | 'malformed' | undefined {
  const found = text.slice(at, at + 2);
  if (found === '\r\n') return undefined;
  return found === '' || found === '\r' ? UNFINISHED : MALFORMED;
}

function readTrailers(text: string, start: number, body: string, limit: number): ReferenceBody | 'unfinished' | 'malformed' {
  const window = text.slice(start, start + limit);
  const section = readSection(window, 0, MOST_TRAILERS);
  if (typeof section === 'object') return { body, trailers: section.fields, end: start + section.end };
  return section === UNFINISHED && window.length < limit ? UNFINISHED : MALFORMED;
}

/** RFC 9110 §6.5.1 and what this product refuses behind a request's body: framing, routing and authentication. */
export function hasRefusedTrailer(trailers: readonly ReferenceField[]): boolean {
  return trailers.some(([name]) =>
    /^(?:content-length|transfer-encoding|host|connection|(?:proxy-)?authorization|cookie|upgrade|te|trailer)$/i.test(name),
  );
}

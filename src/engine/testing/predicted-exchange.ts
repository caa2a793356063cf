import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { hasRefusedTrailer } from './reference-body.ts';
import { type ReferenceRequest, type ReferenceRequestHead, readReferenceRequest } from './reference-request.ts';
import { type ReferenceResponse, readReferenceResponse } from './reference-response.ts';
import { lowerCase, type ReferenceField } from './reference-scan.ts';

type WholeRequest = Extract<ReferenceRequest, { kind: 'whole' }>;
type WholeResponse = Extract<ReferenceResponse, { kind: 'whole' }>;

/** What the reference parser expects an engine to do with the bytes of one client that ends its side behind them. */
export interface PredictedRequests {
  /** Whole requests, which the upstream answers with 200. */
  readonly requests: readonly WholeRequest[];
  readonly statuses: readonly number[];
  /** The head of a further request is whole and its body is not: the upstream may get as much as there is. */
  readonly partial: boolean;
}

/** Fields that stay between neighbours, and those that the engine writes itself. */
const NOT_SENT_ON = /^(?:connection|keep-alive|proxy-connection|te|transfer-encoding|content-length|upgrade)$/;
const RESPONSE_LIMITS = {
  headBytes: DEFAULT_ENGINE_LIMITS.responseHeadBytes,
  headerCount: DEFAULT_ENGINE_LIMITS.responseHeaderCount,
  chunkExtensionBytes: DEFAULT_ENGINE_LIMITS.chunkExtensionBytes,
  trailerBytes: DEFAULT_ENGINE_LIMITS.trailerBytes,
};
const FINAL = { isHead: false, ended: true };

/** Reads request after request until one is refused, asks to close, or does not end. */
export function predictRequests(text: string): PredictedRequests {
  const requests: WholeRequest[] = [];
  const statuses: number[] = [];
  for (let rest = text; ; ) {
    const reading = readReferenceRequest(rest, DEFAULT_ENGINE_LIMITS);
    if (reading.kind === 'refused') return { requests, statuses: [...statuses, reading.status], partial: false };
    if (reading.kind === 'bad body') return { requests, statuses: [...statuses, 400], partial: false };
    if (reading.kind === 'unfinished') return { requests, statuses, partial: reading.head !== undefined };
    if (hasRefusedTrailer(reading.trailers)) return { requests, statuses: [...statuses, 400], partial: false };
    requests.push(reading);
    statuses.push(200);
    if (!reading.head.keepAlive) return { requests, statuses, partial: false };
    rest = rest.slice(reading.end);
  }
}

/** The request as it reaches the upstream: what was sent, without what stays between neighbours, and our framing behind it. */
export function predictForwarded({ head, body, trailers }: WholeRequest): string {
  const chunked = head.framing === 'chunked';
  const kept = head.fields.filter(
    ([name]) => isSentOn(name, head.named) && !/^(?:host|expect)$/i.test(name) && (chunked || !/^trailer$/i.test(name)),
  );
  const framing = chunked ? 'Transfer-Encoding: chunked\r\n' : head.framing === 'length' ? `Content-Length: ${head.contentLength}\r\n` : '';
  const lines = kept.map(([name, value]) => `${name}:${value}\n`).join('');
  return `${head.method} ${head.target} 1.1\nHost:${head.host}\n${lines}${framing}\n${body}\n${trailerText(trailers)}`;
}

/** The same form for a request that was received. */
export function describeReceived({ head, body, trailers }: WholeRequest): string {
  const framing =
    head.framing === 'chunked'
      ? 'Transfer-Encoding: chunked\r\n'
      : head.framing === 'length'
        ? `Content-Length: ${head.contentLength}\r\n`
        : '';
  const kept = head.fields.filter(([name]) => !/^(?:content-length|transfer-encoding)$/i.test(name));
  const lines = kept.map(([name, value]) => `${name}:${value}\n`).join('');
  return `${head.method} ${head.target} 1.${head.minorVersion}\n${lines}${framing}\n${body}\n${trailerText(trailers)}`;
}

/** What becomes of the bytes that an upstream sends as its answer to a GET, before it ends its side. */
export type PredictedAnswer =
  | { readonly kind: 'relayed'; readonly response: WholeResponse }
  /** The gateway answers 502 itself. */
  | { readonly kind: 'bad gateway' }
  /** The client sees an answer that does not end, or none. */
  | { readonly kind: 'cut off' };

/** Reads the first final response behind any interim ones. */
export function predictAnswer(text: string): PredictedAnswer {
  let rest = text;
  for (let interim = 0; ; interim++) {
    const reading = readReferenceResponse(rest, RESPONSE_LIMITS, FINAL);
    if (reading.kind === 'refused' || reading.kind === 'bad body') return { kind: 'bad gateway' };
    if (reading.kind === 'unfinished') return { kind: reading.head === undefined ? 'bad gateway' : 'cut off' };
    if (reading.head.status >= 200) return { kind: 'relayed', response: reading };
    if (reading.head.status === 101 || interim === DEFAULT_ENGINE_LIMITS.interimResponses) return { kind: 'bad gateway' };
    rest = rest.slice(reading.end);
  }
}

/** Fields of a response that reach the client, of those that the engine neither drops nor adds. */
export function relayedFields(head: { readonly fields: readonly ReferenceField[]; readonly named: readonly string[] }): readonly string[] {
  const own = /^(?:server|date|trailer|x-apisix-upstream-status)$/i;
  return head.fields.filter(([name]) => isSentOn(name, head.named) && !own.test(name)).map(([name, value]) => `${name}:${value}`);
}

function isSentOn(name: string, named: ReferenceRequestHead['named']): boolean {
  return !NOT_SENT_ON.test(lowerCase(name)) && !named.includes(lowerCase(name));
}

/** Without the fields that no trailer section may have (RFC 9110 §6.5.1). */
function trailerText(trailers: readonly ReferenceField[]): string {
  const dropped =
    /^(?:age|cache-control|content-(?:encoding|range|type)|date|expect|expires|if-.*|keep-alive|location|max-forwards|pragma|proxy-.*|range|retry-after|set-cookie|vary|warning|www-authenticate)$/i;
  return trailers
    .filter(([name]) => !dropped.test(name))
    .map(([name, value]) => `${name}:${value}\n`)
    .join('');
}

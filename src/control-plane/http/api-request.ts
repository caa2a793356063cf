import type { FastifyRequest } from 'fastify';
import { canonicalAddress } from '../../lib/canonical-address.ts';
import type { Caller } from '../auth/index.ts';
import type { ApiRequest } from './api-route.ts';
import { parseJson } from './parse-json.ts';

/** A request of the framework as the operations of the Admin API see it. */
export function toApiRequest(request: FastifyRequest, caller: Caller | undefined): ApiRequest {
  const url = request.raw.url ?? '';
  const queryStart = url.indexOf('?');
  return {
    method: request.method,
    // The router has only text here.
    parameters: new Map(Object.entries(request.params as Readonly<Record<string, string>>)),
    query: new URLSearchParams(queryStart < 0 ? '' : url.slice(queryStart + 1)),
    header: (name) => (name === 'content-type' ? contentTypeOf(request) : headerOf(request, name)),
    body: () => parseJson(bytesOf(request)),
    bytes: () => bytesOf(request),
    caller,
    address: addressOf(request),
    id: request.id,
  };
}

function bytesOf({ body }: FastifyRequest): Uint8Array {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** What the client calls its body. It is hidden from the framework, which would refuse what is no JSON by name; only the raw head still has it. */
function contentTypeOf({ raw }: FastifyRequest): string | undefined {
  const at = raw.rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === 'content-type');
  return at < 0 ? undefined : raw.rawHeaders[at + 1];
}

/** A header's value by its lower-case name; repeated ones are joined by commas. */
export function headerOf(request: FastifyRequest, lowerCaseName: string): string | undefined {
  const value = request.raw.headers[lowerCaseName];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The client's address, an IPv4-mapped one as IPv4. */
export function addressOf(request: FastifyRequest): string {
  const address = request.raw.socket.remoteAddress ?? '';
  return canonicalAddress(address) ?? address;
}

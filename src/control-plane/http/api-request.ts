import type { FastifyRequest } from 'fastify';
import { isAllowed, isAllowedForSome, NO_ACCESS, type Target } from '../access/index.ts';
import type { Caller } from '../auth/index.ts';
import type { Action, ApiRequest } from './api-route.ts';
import { forbidden } from './authorize.ts';
import { parseJson } from './parse-json.ts';

/** A request of the framework as the operations of the Admin API see it. */
export class FrameworkRequest implements ApiRequest {
  readonly method: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  readonly caller: Caller | undefined;
  readonly address: string;
  readonly id: string;
  readonly #request: FastifyRequest;
  #wasAuthorized = false;

  constructor(request: FastifyRequest, caller: Caller | undefined, address: string) {
    const url = request.raw.url ?? '';
    const queryStart = url.indexOf('?');
    this.#request = request;
    this.method = request.method;
    // The router has only text here.
    this.parameters = new Map(Object.entries(request.params as Readonly<Record<string, string>>));
    this.query = new URLSearchParams(queryStart < 0 ? '' : url.slice(queryStart + 1));
    this.caller = caller;
    this.address = address;
    this.id = request.id;
  }

  /** Whether anybody has asked for a permission: a handler that was to do so itself must not forget it. */
  get wasAuthorized(): boolean {
    return this.#wasAuthorized;
  }

  header(lowerCaseName: string): string | undefined {
    return lowerCaseName === 'content-type' ? contentTypeOf(this.#request) : headerOf(this.#request, lowerCaseName);
  }

  body(): ReturnType<ApiRequest['body']> {
    return parseJson(bytesOf(this.#request));
  }

  bytes(): Uint8Array {
    return bytesOf(this.#request);
  }

  permit(action: Action, target: Target): void {
    this.#wasAuthorized = true;
    if (!this.mayDo(action, target)) throw forbidden(action);
  }

  permitSome(action: Action, pattern: string): void {
    this.#wasAuthorized = true;
    if (!isAllowedForSome(this.caller?.access ?? NO_ACCESS, action, pattern)) throw forbidden(action);
  }

  mayDo(action: Action, target: Target): boolean {
    return isAllowed(this.caller?.access ?? NO_ACCESS, action, target);
  }
}

function bytesOf({ body }: FastifyRequest): Uint8Array {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** What the client calls its body. It is hidden from the framework, which would refuse what is no JSON by name; only the raw head still has it. */
export function contentTypeOf({ raw }: FastifyRequest): string | undefined {
  const at = raw.rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === 'content-type');
  return at < 0 ? undefined : raw.rawHeaders[at + 1];
}

/** A header's value by its lower-case name; repeated ones are joined by commas. */
export function headerOf(request: FastifyRequest, lowerCaseName: string): string | undefined {
  const value = request.raw.headers[lowerCaseName];
  return Array.isArray(value) ? value.join(', ') : value;
}

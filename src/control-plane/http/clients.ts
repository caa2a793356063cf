import type { FastifyRequest } from 'fastify';
import type { Caller } from '../auth/index.ts';
import type { RecalledAnswer } from './answer-memory.ts';
import { headerOf } from './api-request.ts';
import { clientAddress } from './client-address.ts';

/** What is known of the clients of the requests that are under way. */
export class Clients {
  /** Those who have proved to be somebody. */
  readonly callers = new WeakMap<FastifyRequest, Caller>();
  /** What requests are answered with whose callers could not be looked up. */
  readonly recalled = new WeakMap<FastifyRequest, RecalledAnswer>();
  /** `AnswerMemory.mark` as it was when requests began. */
  readonly marks = new WeakMap<FastifyRequest, number>();
  /** Requests that came too soon. */
  readonly refusedByRate = new WeakSet<FastifyRequest>();
  readonly #addresses = new WeakMap<FastifyRequest, string>();
  readonly #isTrustedProxy: (address: string) => boolean;

  /** Says whose `X-Forwarded-For` is believed. */
  constructor(isTrustedProxy: (address: string) => boolean) {
    this.#isTrustedProxy = isTrustedProxy;
  }

  /** The client's canonical address, the same for as long as the request lasts: a connection that is gone has none any more. */
  addressOf(request: FastifyRequest): string {
    const known = this.#addresses.get(request);
    if (known !== undefined) return known;
    const forwardedFor = headerOf(request, 'x-forwarded-for');
    const address = clientAddress(request.raw.socket.remoteAddress ?? '', forwardedFor, this.#isTrustedProxy);
    this.#addresses.set(request, address);
    return address;
  }
}
